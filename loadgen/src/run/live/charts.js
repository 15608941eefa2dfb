// ---- Charts: lines over the run's seconds, drawn anew each second.

const HEIGHT = 190;
const EDGES = { left: 52, right: 12, top: 10, bottom: 24 };

function drawCharts() {
  const points = (of) => run.seconds.map((event) => ({ x: event.elapsed_s, y: of(event.second.total) }));
  const answered = points((total) => total.answered_per_s);
  const goodput = points((total) => total.goodput_per_s);
  chart("rate-chart", [answered, goodput], rate);
  set("rate-words", inWords(answered, rate, "answered per s"));
  // Where too little of a second is measured for a rate, the percentile is one of few.
  const p99 = points((total) => total.response_us === null || total.answered_per_s === null ? null : total.response_us.p99);
  chart("p99-chart", [p99], ms);
  set("p99-words", inWords(p99, ms, "ms"));
}

// The chart for those who do not see it.
function inWords(points, format, unit) {
  const known = points.filter((point) => point.y !== null);
  if (known.length === 0) return "Nothing is measured yet.";
  const values = known.map((point) => point.y);
  const [first, last] = [known[0], known[known.length - 1]];
  return `From ${first.x} s to ${last.x} s: between ${format(Math.min(...values))} and ` +
    `${format(Math.max(...values))} ${unit}, ${format(last.y)} at the end.`;
}

function chart(id, lines, format) {
  const known = lines.flat().filter((point) => point.y !== null);
  at(id).hidden = known.length === 0;
  const width = at(id).clientWidth;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
  if (known.length > 0) {
    const top = niceTop(Math.max(...known.map((point) => point.y)));
    const [from, to] = [known[0].x, Math.max(known[known.length - 1].x, known[0].x + 1)];
    const x = (value) => EDGES.left + (value - from) / (to - from) * (width - EDGES.left - EDGES.right);
    const y = (value) => HEIGHT - EDGES.bottom - value / top * (HEIGHT - EDGES.top - EDGES.bottom);
    for (const value of [0, top / 2, top]) {
      const [left, right] = [EDGES.left, width - EDGES.right];
      svg.append(shape("line", { x1: left, x2: right, y1: y(value), y2: y(value), class: value === 0 ? "axis" : "grid" }));
      svg.append(label(format(value), { x: left - 6, y: y(value) + 4, "text-anchor": "end" }));
    }
    svg.append(label(`${from} s`, { x: x(from), y: HEIGHT - 6 }));
    svg.append(label(`${to} s`, { x: x(to), y: HEIGHT - 6, "text-anchor": "end" }));
    lines.forEach((points, hue) => pieces(points).forEach((piece) => svg.append(drawn(piece, hue, x, y))));
  }
  at(id).replaceChildren(svg);
}

// A line is broken where nothing is known.
function pieces(points) {
  const found = [[]];
  for (const point of points) {
    if (point.y === null) found.push([]);
    else found[found.length - 1].push(point);
  }
  return found.filter((piece) => piece.length > 0);
}

function drawn(piece, hue, x, y) {
  if (piece.length === 1) return shape("circle", { cx: x(piece[0].x), cy: y(piece[0].y), r: 3, class: `hue${hue}` });
  return shape("polyline", { points: piece.map((point) => `${x(point.x)},${y(point.y)}`).join(" "), class: `hue${hue}` });
}

// The next of these times a power of ten: half of it is round enough, too.
function niceTop(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return power * [1, 2, 3, 4, 5, 6, 8, 10].find((step) => most <= step * power);
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function label(text, attributes) {
  const made = shape("text", attributes);
  made.textContent = text;
  return made;
}
