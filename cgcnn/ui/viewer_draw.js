// Painting a scene on a 2D canvas: no WebGL, so it runs on any classroom machine. Far things are painted first.

// Columns of the rows that viewer.py sends.
const ATOM = { xyz: 0, radius: 1, color: 2, label: 3, tip: 4, site: 5, flags: 6 };
const EDGE = { start: 0, end: 1, colors: 2, width: 3, tip: 4, flags: 5 };
const GHOST = 1, FAINT = 2, CHOSEN = 4, CROSSES = 1;

const EYE = 9; // the eye's distance in radii of the scene: a weak perspective
const MARGIN = 2.25; // half-extents of the first view across the picture; 2 would touch the frame
const TIGHTEST = 1.55; // radii across the picture, at least: a turned crystal must not leave it by much
const PIECES = 24; // of each line of the cell, so that an atom can stand before one part and behind another
const AXIS_COLORS = ["#d55e00", "#009e73", "#0072b2"]; // a, b, c

// ---- projection ----
function camera(s, width, height) {
  const { center } = s, [radius, wide, high] = s.fit;
  const room = Math.min(width / (MARGIN * wide), height / (MARGIN * high));
  const scale = s.zoom * Math.min(room, Math.min(width, height) / (TIGHTEST * radius));
  return (p) => {
    const [x, y, z] = apply(s.turn, sub(p, center));
    const near = EYE / (EYE - Math.min(z / radius, EYE - 1));
    const k = scale * near;
    return [width / 2 + s.shift[0] + x * k, height / 2 + s.shift[1] - y * k, z, k];
  };
}

/** [radius, half width, half height] in Å of what the first view shows around the scene's center. */
function fitOf({ atoms, cell, axes, center, radius }) {
  const view = firstView(axes), extent = [0, 0];
  const grow = (p, r) => apply(view, sub(p, center)).slice(0, 2).forEach((v, k) => {
    extent[k] = Math.max(extent[k], Math.abs(v) + r);
  });
  for (const row of atoms) grow(row[ATOM.xyz], row[ATOM.radius]);
  for (const [a, b] of cell) for (const end of [a, b]) grow(end, 0);
  return [radius, ...extent];
}

/** The cell's outline in short pieces, without those inside an atom. */
function cellPieces({ cell, atoms }) {
  const solid = atoms.filter((row) => !(row[ATOM.flags] & GHOST));
  const within = (p, row) => Math.hypot(...sub(p, row[ATOM.xyz])) < row[ATOM.radius];
  const pieces = [];
  for (const [a, b, strong] of cell) {
    for (let n = 0; n < PIECES; n++) {
      const middle = mix(a, b, (n + 0.5) / PIECES);
      const ends = [mix(a, b, n / PIECES), mix(a, b, (n + 1) / PIECES)];
      if (!solid.some((row) => within(middle, row))) pieces.push([...ends, strong]);
    }
  }
  return pieces;
}

/** What is painted, in order from far to near; `s.hits` keeps where each atom and edge ended up. */
function paintList(s, project) {
  const { atoms, edges } = s.data, list = [];
  s.hits = { atoms: [], edges: [] };
  const spots = atoms.map((row) => project(row[ATOM.xyz]));
  atoms.forEach((row, i) => {
    const [x, y, z, scale] = spots[i], r = row[ATOM.radius] * scale;
    s.hits.atoms.push({ x, y, z, r, i });
    list.push({ z, paint: (g) => paintAtom(s, g, row, i, x, y, r, fogAt(s, z)) });
  });
  edges.forEach((row, i) => addEdge(s, list, project, row, i));
  for (const [a, b, strong] of s.pieces) {
    const p = project(a), q = project(b); // a stick on the same line lies in front
    list.push({ z: (p[2] + q[2]) / 2 - 0.25, paint: (g) => paintLine(s, g, p, q, strong) });
  }
  return list.sort((one, other) => one.z - other.z);
}

const fogAt = (s, z) => Math.max(0, Math.min(1, 0.5 - z / (1.7 * s.fit[0])));

/** A stick starts where it leaves the sphere, and each half is sorted by its own depth. */
function addEdge(s, list, project, row, i) {
  const [from, to] = [s.data.atoms[row[EDGE.start]], s.data.atoms[row[EDGE.end]]];
  const [a, b] = [from[ATOM.xyz], to[ATOM.xyz]], length = Math.hypot(...sub(b, a)), w = row[EDGE.width] / 2;
  const inside = (r) => Math.sqrt(Math.max(0, r * r - w * w)) * 0.96 / length;
  const start = inside(from[ATOM.radius]), end = 1 - inside(to[ATOM.radius]);
  if (end <= start) return; // the spheres touch
  const stops = [start, (start + end) / 2, end].map((t) => project(mix(a, b, t)));
  s.hits.edges.push({ p: stops[0], q: stops[2], i });
  for (const half of [0, 1]) {
    const p = stops[half], q = stops[half + 1], z = (p[2] + q[2]) / 2;
    const offset = half * Math.hypot(stops[1][0] - stops[0][0], stops[1][1] - stops[0][1]);
    list.push({ z, paint: (g) => paintStick(s, g, row, i, row[EDGE.colors][half], p, q, fogAt(s, z), offset) });
  }
}

// ---- painting ----
function stroke(g, p, q, color, width) {
  g.strokeStyle = color;
  g.lineWidth = width;
  g.beginPath();
  g.moveTo(p[0], p[1]);
  g.lineTo(q[0], q[1]);
  g.stroke();
}

function paintLine(s, g, p, q, strong) {
  const fog = fogAt(s, (p[2] + q[2]) / 2);
  stroke(g, p, q, css(mix(s.text, s.page, (strong ? 0.35 : 0.65) + 0.25 * fog)), strong ? 1.3 : 1);
}

function paintStick(s, g, row, i, hex, p, q, fog, offset) {
  const faint = row[EDGE.flags] & FAINT, hovered = s.over.edge === i;
  const width = Math.max(faint ? 1 : 1.5, (row[EDGE.width] * (p[3] + q[3])) / 2) * (hovered ? 1.6 : 1);
  const plain = row[EDGE.colors][0] === row[EDGE.colors][1]; // a color that says something fades less
  const base = mix(hue(s, hex), s.page, faded(s, fog) * (plain ? 0.4 : 1));
  if (faint) {
    g.globalAlpha = 0.28;
    stroke(g, p, q, css(base), width);
    g.globalAlpha = 1;
  } else if (row[EDGE.flags] & CROSSES) {
    g.setLineDash([Math.max(4, 1.6 * width), Math.max(3, 1.1 * width)]);
    g.lineDashOffset = offset;
    stroke(g, p, q, css(base), width * 0.85);
    g.setLineDash([]);
  } else {
    stroke(g, p, q, css(mix(base, BLACK, 0.38)), width);
    stroke(g, p, q, css(base), width * 0.68);
    if (width >= 3) stroke(g, p, q, css(mix(base, WHITE, 0.4)), width * 0.24);
  }
}

function circle(g, x, y, r) {
  g.beginPath();
  g.arc(x, y, r, 0, 2 * Math.PI);
}

function paintAtom(s, g, row, i, x, y, r, fog) {
  const flags = row[ATOM.flags], ghost = flags & GHOST, hovered = s.over.atom === i;
  const level = Math.round(fog * FOG_LEVELS);
  g.globalAlpha = ghost ? (s.dark ? 0.6 : 0.5) : 1;
  const side = (r * SPRITE) / (SPRITE - 2), picture = sprite(s, row[ATOM.color], level, Boolean(flags & FAINT));
  g.drawImage(picture, x - side, y - side, 2 * side, 2 * side);
  g.globalAlpha = 1;
  if (ghost) {
    g.strokeStyle = css(mix(s.text, s.page, 0.35 + 0.3 * fog));
    g.lineWidth = 1;
    g.setLineDash([3, 3]);
    circle(g, x, y, r);
    g.stroke();
    g.setLineDash([]);
  }
  if (flags & CHOSEN || hovered) {
    for (const [color, width] of [[s.page, 5], [flags & CHOSEN ? s.accent : s.text, 3]]) {
      g.strokeStyle = css(color);
      g.lineWidth = width;
      circle(g, x, y, r + 2.5);
      g.stroke();
    }
  }
  if (s.labelled.has(i)) paintLabel(s, g, row, x, y, r, fog);
}

const fontOf = (s, r) => `600 ${Math.max(9.5, Math.min(14, 0.62 * r)).toFixed(1)}px ${s.font}`;

/** Which labels have room: an atom's must fit on it, a ghost's must not cover another's; nearest first. */
function chooseLabels(s, g) {
  s.labelled = new Set();
  const taken = [];
  for (const { x, y, r, i } of [...s.hits.atoms].sort((one, other) => other.z - one.z)) {
    const row = s.data.atoms[i], text = row[ATOM.label];
    if (!text || (row[ATOM.flags] & FAINT && s.over.atom !== i)) continue;
    g.font = fontOf(s, r);
    const half = g.measureText(text).width / 2;
    if (!(row[ATOM.flags] & GHOST)) {
      if (half <= 1.08 * r || row[ATOM.flags] & CHOSEN) s.labelled.add(i);
    } else if (!taken.some(([u, v, h]) => Math.abs(u - x) < h + half + 2 && Math.abs(v - y - r) < 13)) {
      s.labelled.add(i);
      taken.push([x, y + r, half]);
    }
  }
}

/** An atom's name on its sphere; a ghost's image vector under it. */
function paintLabel(s, g, row, x, y, r, fog) {
  const ghost = row[ATOM.flags] & GHOST, down = ghost ? r + 8 : 0.5;
  g.font = fontOf(s, r);
  g.textAlign = "center";
  g.textBaseline = "middle";
  if (ghost) {
    g.strokeStyle = css(s.page);
    g.lineWidth = 3.5;
    g.lineJoin = "round";
    g.strokeText(row[ATOM.label], x, y + down);
  }
  g.fillStyle = css(ghost ? mix(s.text, s.page, 0.3 * fog) : inkFor(s, row[ATOM.color]));
  g.fillText(row[ATOM.label], x, y + down);
}

/** The directions of a, b and c in the corner, the nearest on top. */
function paintCompass(s, g, height) {
  const origin = [40, height - 40];
  const arms = s.data.axes.map((axis, k) => ({ k, at: apply(s.turn, unit(axis)) }));
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.font = `italic 600 13px ${s.font}`;
  for (const { k, at } of arms.sort((one, other) => one.at[2] - other.at[2])) {
    const color = css(mix(hue(s, AXIS_COLORS[k]), s.text, 0.25)), flat = Math.hypot(at[0], at[1]);
    const tip = [origin[0] + 26 * at[0], origin[1] - 26 * at[1]];
    const out = flat < 0.15 ? [0.7, 0.7] : [at[0] / flat, at[1] / flat];
    stroke(g, origin, tip, color, 2.5);
    g.fillStyle = color;
    circle(g, ...tip, 3);
    g.fill();
    g.strokeStyle = css(s.page);
    g.lineWidth = 3;
    const spot = [tip[0] + 10 * out[0], tip[1] - 10 * out[1]];
    g.strokeText("abc"[k], ...spot);
    g.fillText("abc"[k], ...spot);
  }
}

/** One frame, sharp on any screen. */
function draw(s) {
  const ratio = window.devicePixelRatio || 1, width = s.canvas.clientWidth, height = s.canvas.clientHeight;
  if (!width || !height) return;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (s.canvas.width !== w || s.canvas.height !== h) [s.canvas.width, s.canvas.height] = [w, h];
  const g = s.canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const list = paintList(s, camera(s, width, height));
  chooseLabels(s, g);
  for (const item of list) item.paint(g);
  paintCompass(s, g, height);
}
