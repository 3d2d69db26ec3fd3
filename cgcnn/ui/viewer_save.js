// The picture as a PNG: the canvas as it stands, on the page's color, with the legend under it.

function save(s) {
  draw(s);
  const ratio = s.canvas.width / s.canvas.clientWidth, line = 24 * ratio;
  const picture = document.createElement("canvas");
  picture.width = s.canvas.width;
  const g = picture.getContext("2d");
  const rows = legendRows(s, g, ratio);
  picture.height = s.canvas.height + (rows.length + 0.5) * line; // sets the context back to its defaults
  g.fillStyle = css(s.page);
  g.fillRect(0, 0, picture.width, picture.height);
  g.drawImage(s.canvas, 0, 0);
  g.font = `${13 * ratio}px ${s.font}`;
  g.textBaseline = "middle";
  rows.forEach((row, n) => {
    for (const entry of row) paintEntry(s, g, entry, s.canvas.height + (n + 0.5) * line, ratio);
  });
  picture.toBlob((blob) => download(blob, s.data.subject));
}

/** Share the entries out over lines of the picture's width; each is [left edge, entry]. */
function legendRows(s, g, ratio) {
  g.font = `${13 * ratio}px ${s.font}`;
  const rows = [[]];
  let x = 14 * ratio;
  for (const entry of s.data.legend) {
    const width = g.measureText(entry.text).width + 46 * ratio;
    if (x + width > s.canvas.width && rows.at(-1).length) {
      rows.push([]);
      x = 14 * ratio;
    }
    rows.at(-1).push([x, entry]);
    x += width;
  }
  return rows;
}

function paintEntry(s, g, [x, { color, text, shape }], y, ratio) {
  g.fillStyle = color;
  if (shape === "edge") g.fillRect(x, y - 2.5 * ratio, 20 * ratio, 5 * ratio);
  else {
    circle(g, x + 10 * ratio, y, 7 * ratio);
    g.fill();
    g.strokeStyle = "#808080";
    g.stroke();
  }
  g.fillStyle = css(s.text);
  g.fillText(text, x + 26 * ratio, y);
}

function download(blob, subject) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${subject.replace(/[^A-Za-z0-9]+/g, "") || "crystal"}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
