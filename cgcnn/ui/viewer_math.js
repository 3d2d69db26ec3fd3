// Vectors, turns and the views that a crystallographer asks for.

// A matrix is nine numbers, row by row.
const sub = (p, q) => [p[0] - q[0], p[1] - q[1], p[2] - q[2]];
const dot = (p, q) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
const cross = (p, q) => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
const unit = (p) => { const n = Math.hypot(...p) || 1; return [p[0] / n, p[1] / n, p[2] / n]; };
const mix = (p, q, t) => [p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t, p[2] + (q[2] - p[2]) * t];
const apply = (m, p) => [0, 3, 6].map((i) => m[i] * p[0] + m[i + 1] * p[1] + m[i + 2] * p[2]);

function times(m, n) {
  const columns = [0, 1, 2].map((j) => apply(m, [n[j], n[3 + j], n[6 + j]]));
  return [0, 1, 2].flatMap((i) => columns.map((column) => column[i]));
}

/** The turn by `x` radians about the screen's horizontal, after `y` about its vertical. */
function turn(x, y) {
  const [c, s, e, f] = [Math.cos(x), Math.sin(x), Math.cos(y), Math.sin(y)];
  return times([1, 0, 0, 0, c, -s, 0, s, c], [e, 0, f, 0, 1, 0, -f, 0, e]);
}

/** The turn whose rows are right, up and towards the eye; rows need not be exact, they are made so. */
function frame(towards, up) {
  const z = unit(towards);
  const x = unit(cross(up, z));
  return [...x, ...cross(z, x), ...z];
}

/** Look down a lattice vector, with c upright (b when looking down c). */
const along = (axes, k) => frame(axes[k], axes[k === 2 ? 1 : 2]);

/** The first view: c upright, a to the front left, b to the right, seen a little from above. */
const firstView = (axes) => times(turn(0.26, -0.42), along(axes, 0));

/** A turn part of the way from one to another; null where there is no shortest way. */
function between(m, n, t) {
  const row = (i) => mix(m.slice(i, i + 3), n.slice(i, i + 3), t);
  const towards = row(6), up = row(3);
  return Math.hypot(...towards) < 0.1 || Math.hypot(...cross(up, towards)) < 0.1 ? null : frame(towards, up);
}
