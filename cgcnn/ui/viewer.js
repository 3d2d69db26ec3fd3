// The picture as something to hold: turn, zoom, move, hover, pick; with mouse, fingers or keys.
// Streamlit calls the default export again whenever data or theme change: handlers are assigned, never added.

const STATES = new WeakMap(); // canvas -> what outlives a rerun: the camera above all

export default function ({ data, parentElement, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas");
  const s = STATES.get(canvas) ?? newState(canvas, parentElement);
  s.pick = (site) => pick(s, site, setTriggerValue);
  s.pickEdge = (edge) => setTriggerValue("picked_edge", edge);
  receive(s, data);
  readTheme(s);
  writeWords(s);
  listenToPointer(s);
  listenToKeys(s);
  for (const button of s.root.querySelectorAll("button")) button.onclick = () => press(s, button);
  s.observer?.disconnect();
  s.observer = new ResizeObserver(() => redraw(s));
  s.observer.observe(canvas);
  redraw(s);
  return () => {
    s.observer.disconnect();
    cancelAnimationFrame(s.raf);
    STATES.delete(canvas);
  };
}

function newState(canvas, root) {
  const probe = document.createElement("canvas").getContext("2d");
  const s = { canvas, root, probe, over: { atom: -1, edge: -1 }, pointers: new Map(), raf: 0, frames: 0 };
  STATES.set(canvas, s);
  canvas.viewer = s; // for tests and the curious
  return s;
}

/** New data keep the camera; another crystal or cell brings back its own first view. */
function receive(s, data) {
  const other = !s.data || s.data.subject !== data.subject || shapeOf(s.data) !== shapeOf(data);
  s.data = data;
  s.over = { atom: -1, edge: -1 };
  s.pieces = cellPieces(data);
  if (other) s.turn = firstView(data.axes);
  const fit = fitOf(data);
  if (other) [s.zoom, s.shift, s.center, s.fit, s.goal] = [1, [0, 0], data.center, fit, null];
  else glide(s, { center: data.center, fit });
}

/** The shape of the cell, to tell another cell from the same one under strain. */
const shapeOf = ({ axes }) => {
  const lengths = axes.map((a) => Math.hypot(...a)), longest = Math.max(...lengths);
  const dot = (p, q) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  const angles = [[0, 1], [1, 2], [2, 0]].map(([i, j]) => dot(axes[i], axes[j]) / (lengths[i] * lengths[j]));
  return [...lengths.map((l) => l / longest), ...angles].map((x) => x.toFixed(2)).join();
};

function redraw(s) {
  s.raf ||= requestAnimationFrame(() => {
    s.raf = 0;
    s.frames += 1;
    draw(s);
  });
}

// ---- words ----
const part = (s, name) => s.root.querySelector(`.${name}`);

function writeWords(s) {
  const { data } = s;
  part(s, "stage").style.height = `${data.height}px`;
  s.canvas.setAttribute("aria-label", data.summary);
  part(s, "legend").replaceChildren(...data.legend.map(legendRow));
  const chosen = data.atoms.find((row) => row[ATOM.flags] & CHOSEN);
  say(s, chosen ? `Selected: ${chosen[ATOM.tip]}` : "Drag to turn; click an atom to select it.");
  part(s, "note").textContent = data.note;
  showTip(s, null);
}

function legendRow({ color, text, shape }) {
  const row = document.createElement("li"), swatch = document.createElement("span");
  swatch.className = `swatch ${shape === "edge" ? "edge" : ""}`;
  swatch.style.background = color;
  row.append(swatch, text); // a string is appended as text, never as markup
  return row;
}

function say(s, text) {
  const said = part(s, "said");
  if (said.textContent !== text) said.textContent = text;
}

function showTip(s, at) {
  const { atom, edge } = s.over, tip = part(s, "tip");
  const text = atom >= 0 ? s.data.atoms[atom][ATOM.tip] : edge >= 0 ? s.data.edges[edge][EDGE.tip] : "";
  tip.classList.toggle("shown", Boolean(text && at));
  if (!text || !at) return;
  tip.textContent = text;
  const [w, h] = [tip.offsetWidth, tip.offsetHeight], room = s.canvas.clientWidth - w - 4;
  const top = at[1] > h + 18 ? at[1] - h - 12 : at[1] + 20;
  tip.style.transform = `translate(${Math.max(4, Math.min(room, at[0] - w / 2))}px, ${top}px)`;
}
