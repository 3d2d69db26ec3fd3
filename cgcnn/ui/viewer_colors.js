// The theme's colors, fog, and spheres painted once and then only copied.

const FOG_LEVELS = 8; // shades of distance; each needs its own picture of a sphere
const SPRITE = 160; // pixels across a prepared sphere

function rgb(css, probe) {
  probe.fillStyle = "#808080";
  probe.fillStyle = css; // the browser turns any notation into #rrggbb or rgba(r, g, b, a)
  const value = probe.fillStyle;
  if (value[0] === "#") return [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16));
  return value.match(/[\d.]+/g).slice(0, 3).map(Number);
}
const css = (c) => `rgb(${c.map((v) => Math.round(v)).join(",")})`;
const WHITE = [255, 255, 255], BLACK = [0, 0, 0];

/** Read the theme afresh; prepared spheres depend on it, since fog fades into the page. */
function readTheme(s) {
  const style = getComputedStyle(s.canvas);
  const named = (name, fallback) => rgb(style.getPropertyValue(name).trim() || fallback, s.probe);
  s.page = named("--st-background-color", "#ffffff");
  s.text = named("--st-text-color", "#31333f");
  s.accent = named("--st-primary-color", "#ff4b4b");
  s.dark = inkOn(s.page) === WHITE;
  s.font = style.fontFamily || "sans-serif";
  s.sprites = new Map();
  s.hues = new Map();
}

function hue(s, hex) {
  if (!s.hues.has(hex)) s.hues.set(hex, rgb(hex, s.probe));
  return s.hues.get(hex);
}

/** How much of the page's color a thing takes on, from near (fog 0) to far (1); a dark page swallows more. */
const faded = (s, fog) => (s.dark ? 0.42 : 0.55) * fog;

/** Black or white, whichever reads better on a color (relative luminance of WCAG, simplified). */
function inkOn([r, g, b]) {
  const light = (0.2126 * r ** 2.2 + 0.7152 * g ** 2.2 + 0.0722 * b ** 2.2) / 255 ** 2.2;
  return light > 0.179 ? BLACK : WHITE; // both have the same contrast at 0.179
}

/** One ink for all atoms of an element, near and far. */
const inkFor = (s, hex) => inkOn(mix(hue(s, hex), s.page, faded(s, 0.4)));

/** A shaded sphere, painted once for each color and distance and then only copied. */
function sprite(s, hex, level, faint) {
  const key = `${hex}${level}${faint}`;
  if (s.sprites.has(key)) return s.sprites.get(key);
  const picture = document.createElement("canvas");
  picture.width = picture.height = SPRITE;
  const g = picture.getContext("2d"), r = SPRITE / 2 - 1, o = SPRITE / 2;
  const fade = (c) => mix(c, s.page, faint ? 0.72 : faded(s, level / FOG_LEVELS));
  const base = hue(s, hex);
  const [u, v] = [o - 0.36 * r, o - 0.42 * r]; // the highlight
  const light = g.createRadialGradient(u, v, 0.04 * r, o - 0.12 * r, o - 0.14 * r, 1.14 * r);
  light.addColorStop(0, css(fade(mix(base, WHITE, 0.82))));
  light.addColorStop(0.22, css(fade(mix(base, WHITE, 0.35))));
  light.addColorStop(0.55, css(fade(base)));
  light.addColorStop(0.85, css(fade(mix(base, BLACK, 0.3))));
  light.addColorStop(1, css(fade(mix(base, BLACK, 0.52))));
  g.fillStyle = light;
  g.beginPath();
  g.arc(o, o, r, 0, 2 * Math.PI);
  g.fill();
  s.sprites.set(key, picture);
  return picture;
}
