// Mouse, fingers, keys and buttons: what turns, moves, zooms and picks.

const CLICK = 5; // pixels; a pointer that moved less has clicked

// ---- what is under a point ----
function find(s, [x, y], slack) {
  let atom = null;
  for (const hit of s.hits?.atoms ?? []) {
    const reach = Math.max(hit.r, slack);
    if ((hit.x - x) ** 2 + (hit.y - y) ** 2 <= reach * reach && (!atom || hit.z > atom.z)) atom = hit;
  }
  if (atom) return { atom: atom.i, edge: -1 };
  let edge = { far: 5, i: -1 };
  for (const { p, q, i } of s.hits?.edges ?? []) {
    const far = offLine(x, y, p, q);
    if (far < edge.far) edge = { far, i };
  }
  return { atom: -1, edge: edge.i };
}

function offLine(x, y, p, q) {
  const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
  const t = Math.max(0, Math.min(1, ((x - p[0]) * dx + (y - p[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - p[0] - t * dx, y - p[1] - t * dy);
}

function pick(s, site, setTriggerValue) {
  const row = s.data.atoms.find((atom) => atom[ATOM.site] === site && !(atom[ATOM.flags] & GHOST));
  if (row) say(s, `Selected: ${row[ATOM.tip]}`);
  for (const atom of s.data.atoms) { // shown at once; Python's answer follows
    const chosen = atom[ATOM.site] === site && !(atom[ATOM.flags] & GHOST);
    atom[ATOM.flags] = chosen ? atom[ATOM.flags] | CHOSEN : atom[ATOM.flags] & ~CHOSEN;
  }
  s.data.selected = site;
  setTriggerValue("picked", site);
  redraw(s);
}

// ---- mouse and fingers ----
const spot = (s, e) => {
  const box = s.canvas.getBoundingClientRect();
  return [e.clientX - box.left, e.clientY - box.top];
};

function listenToPointer(s) {
  const { canvas } = s;
  canvas.onpointerdown = (e) => {
    canvas.setPointerCapture(e.pointerId);
    if (!s.pointers.size) s.moved = 0;
    s.pointers.set(e.pointerId, spot(s, e));
    if (e.pointerType === "mouse") s.wheel = true;
    canvas.classList.add("turning");
    showTip(s, null);
  };
  canvas.onpointermove = (e) => (s.pointers.has(e.pointerId) ? drag(s, e) : hover(s, e));
  canvas.onpointerup = (e) => {
    const click = s.pointers.size === 1 && s.moved < CLICK && e.button === 0;
    release(s, e);
    if (click) canvas.focus({ preventScroll: true }); // a tap does not focus by itself everywhere
    const { atom, edge } = click ? find(s, spot(s, e), e.pointerType === "mouse" ? 6 : 16) : { atom: -1, edge: -1 };
    if (atom >= 0) s.pick(s.data.atoms[atom][ATOM.site]);
    else if (edge >= 0 && s.data.edges_answer) s.pickEdge(edge);
  };
  canvas.onpointercancel = (e) => release(s, e);
  canvas.onpointerleave = () => {
    s.wheel = false;
    s.over = { atom: -1, edge: -1 };
    showTip(s, null);
    redraw(s);
  };
  canvas.ondblclick = () => reset(s);
  canvas.oncontextmenu = (e) => e.preventDefault();
  canvas.onwheel = (e) => wheel(s, e);
}

function release(s, e) {
  s.pointers.delete(e.pointerId);
  if (!s.pointers.size) s.canvas.classList.remove("turning");
}

function hover(s, e) {
  if (e.pointerType !== "mouse") return;
  const over = find(s, spot(s, e), 6), same = over.atom === s.over.atom && over.edge === s.over.edge;
  s.over = over;
  s.canvas.classList.toggle("over", over.atom >= 0 || (over.edge >= 0 && s.data.edges_answer));
  showTip(s, spot(s, e));
  if (!same) redraw(s);
}

function drag(s, e) {
  const before = new Map(s.pointers), [u, v] = s.pointers.get(e.pointerId), [x, y] = spot(s, e);
  s.pointers.set(e.pointerId, [x, y]);
  s.moved += Math.abs(x - u) + Math.abs(y - v);
  if (s.moved < CLICK) return;
  if (s.pointers.size > 1) pinch(s, [...before.values()], [...s.pointers.values()]);
  else if (e.buttons & 2 || e.shiftKey) s.shift = [s.shift[0] + x - u, s.shift[1] + y - v];
  else turnBy(s, (y - v) * 0.009, (x - u) * 0.009);
  redraw(s);
}

function pinch(s, [a, b], [p, q]) {
  const apart = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
  zoom(s, apart(p, q) / apart(a, b));
  s.shift = [0, 1].map((k) => s.shift[k] + (p[k] + q[k] - a[k] - b[k]) / 2);
}

/** The wheel scrolls the page until the picture has been clicked; Ctrl (or a pinch on a pad) always zooms. */
function wheel(s, e) {
  if (!s.wheel && !e.ctrlKey && !e.metaKey) {
    part(s, "hint").classList.add("shown");
    clearTimeout(s.hint);
    s.hint = setTimeout(() => part(s, "hint").classList.remove("shown"), 1500);
    return;
  }
  e.preventDefault();
  const lines = e.deltaMode === 1 ? 30 : 1; // some browsers count in lines
  zoom(s, Math.exp(-Math.max(-200, Math.min(200, e.deltaY * lines)) * (e.ctrlKey ? 0.006 : 0.0015)));
}

function zoom(s, factor) {
  s.zoom = Math.max(0.3, Math.min(12, s.zoom * factor));
  redraw(s);
}

// ---- keys and buttons ----
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function listenToKeys(s) {
  s.canvas.onkeydown = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return; // the browser's own
    const arrow = ARROWS[e.key];
    if (arrow && e.shiftKey) s.shift = [s.shift[0] + 20 * arrow[0], s.shift[1] + 20 * arrow[1]];
    else if (arrow) turnBy(s, 0.12 * arrow[1], 0.12 * arrow[0]);
    else if (e.key === "+" || e.key === "=") zoom(s, 1.15);
    else if (e.key === "-") zoom(s, 1 / 1.15);
    else if (e.key === "Home") reset(s);
    else if (e.key === "Enter") nextAtom(s, e.shiftKey ? -1 : 1);
    else return;
    e.preventDefault();
    redraw(s);
  };
}

function nextAtom(s, step) {
  const home = s.data.atoms.filter((row) => !(row[ATOM.flags] & GHOST));
  const sites = [...new Set(home.map((row) => row[ATOM.site]))].sort((i, j) => i - j);
  const now = sites.indexOf(s.data.selected ?? -1);
  s.pick(sites[now < 0 ? 0 : (now + step + sites.length) % sites.length]);
}

function reset(s) {
  [s.zoom, s.shift] = [1, [0, 0]];
  glide(s, { turn: firstView(s.data.axes) });
}

/** Move the camera smoothly, so that the eye can follow; at once where the reader wants no motion. */
function glide(s, wanted) {
  const from = { turn: s.turn, center: s.center, fit: s.fit }, start = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const goal = { turn: null, center: s.center, fit: s.fit, ...s.goal, ...wanted };
  s.goal = goal;
  const step = (now) => {
    if (s.goal !== goal) return; // a later move has taken over
    const t = still ? 1 : Math.min(1, Math.max(0, now - start) / 280), soft = t * t * (3 - 2 * t);
    if (goal.turn) s.turn = (t < 1 && between(from.turn, goal.turn, soft)) || goal.turn;
    s.center = mix(from.center, goal.center, soft);
    s.fit = mix(from.fit, goal.fit, soft);
    redraw(s);
    if (t < 1) requestAnimationFrame(step);
    else s.goal = null;
  };
  requestAnimationFrame(step);
}

/** Turn by hand, which ends a turn that is under way. */
function turnBy(s, x, y) {
  if (s.goal) s.goal.turn = null;
  s.turn = times(turn(x, y), s.turn);
}

const DO = { home: reset, save, help };

function press(s, button) {
  const what = button.dataset.do;
  if (DO[what]) DO[what](s, button);
  else glide(s, { turn: along(s.data.axes, Number(what)) });
}

function help(s, button) {
  const panel = part(s, "help");
  panel.hidden = !panel.hidden;
  button.setAttribute("aria-expanded", String(!panel.hidden));
}
