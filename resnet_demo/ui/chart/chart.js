// Draws `props.value`, a Plot as JSON, with the width that there is. All texts are set as text: nothing in them is markup.
const figure = element.querySelector(".chart");
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 2", "1 3 5 3"];
const LEFT = 52, RIGHT = 18, FLOOR = 14;

const node = (parent, name, attributes = {}, text = "") => {
  const space = name === "svg" || parent.namespaceURI?.endsWith("svg") ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = parent.appendChild(document.createElementNS(space, name));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
};

const shape = (name, x, y, r) => ({
  circle: `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  square: `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  triangle: `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`,
  diamond: `M${x} ${y - 1.4 * r}l${1.4 * r} ${1.4 * r}l${-1.4 * r} ${1.4 * r}l${-1.4 * r} ${-1.4 * r}z`,
})[name.toLowerCase()];

// In capitals, a mark is unfilled.
const mark = (parent, {mark: name}, x, y, r) =>
  name && node(parent, "path", {class: name === name.toUpperCase() ? "mark open" : "mark", d: shape(name, x, y, r)});

// About `count` round numbers between two ends.
const round = (low, high, count) => {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw)), step = power * [1, 2, 5, 10].find((one) => one * power >= raw);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({length: last - first + 1}, (_, i) => Number(((first + i) * step).toPrecision(12)));
};
const raised = (exponent) => `10${[...String(exponent)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`;
const decades = (low, high) => {
  const [first, last] = [low, high].map((value) => Math.round(Math.log10(value)));
  const step = Math.max(1, Math.ceil((last - first) / 5));
  return Array.from({length: Math.floor((last - first) / step) + 1}, (_, i) => first + i * step).map((e) => [10 ** e, raised(e)]);
};

const scales = (panel, width, top, bottom) => {
  const [left, right] = panel.x_range, [low, high] = panel.y_range;
  const level = panel.log ? (y) => (Math.log10(y) - Math.log10(low)) / (Math.log10(high) - Math.log10(low)) : (y) => (y - low) / (high - low);
  return {
    x: (x) => LEFT + ((x - left) / (right - left)) * (width - LEFT - RIGHT),
    // What is 0 on a logarithmic axis lies on the floor, below the lowest decade.
    y: (y) => (panel.log && y <= 0 ? bottom + FLOOR : bottom - Math.min(Math.max(level(y), -0.02), 1.02) * (bottom - top)),
  };
};

const axes = (svg, panel, to, width, top, bottom) => {
  panel.bands.forEach(([from, until, title], i) => {
    if (i % 2) node(svg, "rect", {class: "band", x: to.x(from), y: top, width: to.x(until) - to.x(from), height: bottom - top});
    // The ends are one layer wide: their names begin and end with the axis.
    const ends = {0: [LEFT, "start"], [panel.bands.length - 1]: [width - RIGHT, "end"]};
    const [at, anchor] = ends[i] ?? [(to.x(from) + to.x(until)) / 2, "middle"];
    // A name wider than its stage is left out, except those of the ends if their neighbours leave room.
    if (7 * title.length > to.x(until) - to.x(from) && (!ends[i] || width < 500)) return;
    node(svg, "text", {class: "soft", x: at, y: top - 5, "text-anchor": anchor}, title);
  });
  const ticks = panel.log ? decades(...panel.y_range) : round(...panel.y_range, 5).map((y) => [y, String(y)]);
  for (const [y, text] of ticks) {
    node(svg, "line", {class: "grid", x1: LEFT, x2: width - RIGHT, y1: to.y(y), y2: to.y(y)});
    node(svg, "text", {x: LEFT - 6, y: to.y(y) + 4, "text-anchor": "end"}, text);
  }
  const zero = panel.log && panel.lines.some((line) => line.points.some(({y}) => y === 0)), floor = bottom + (zero ? FLOOR : 0);
  if (zero) node(svg, "text", {x: LEFT - 6, y: to.y(0) + 4, "text-anchor": "end"}, "0");
  node(svg, "path", {class: "axis", fill: "none", d: `M${LEFT} ${top}V${bottom}H${width - RIGHT}`});
  const numbers = () => round(...panel.x_range, Math.min(8, width / 70)).filter(panel.x_percent ? () => true : Number.isInteger)
    .map((value) => [value, panel.x_percent ? `${100 * value} %` : String(value)]);
  let last = -Infinity;
  for (const [x, text] of panel.x_ticks.length ? panel.x_ticks : numbers()) {
    // A name that would touch the one before it is left out.
    if (to.x(x) - last < 7 * text.length + 6) continue;
    last = to.x(x);
    node(svg, "line", {class: "axis", x1: last, x2: last, y1: bottom, y2: bottom + 4});
    node(svg, "text", {x: last, y: floor + 16, "text-anchor": "middle"}, text);
  }
  node(svg, "text", {class: "soft", x: width - RIGHT, y: floor + 31, "text-anchor": "end"}, panel.x_title);
  const turned = `translate(11 ${(top + bottom) / 2}) rotate(-90)`;
  node(svg, "text", {class: "soft", x: 0, y: 0, "text-anchor": "middle", transform: turned}, panel.y_title);
};

const curve = (svg, line, to, points) => {
  const group = node(svg, "g", {class: line.kind, "data-name": line.name});
  const pen = (i) => (line.points[i - 1]?.y ?? null) === null ? "M" : "L";
  const path = line.points.map(({x, y}, i) => y === null ? "" : `${pen(i)}${to.x(x).toFixed(1)} ${to.y(y).toFixed(1)}`).join("");
  node(group, "path", {class: "line", d: path, "stroke-width": line.weight, "stroke-dasharray": DASHES[line.dash % DASHES.length]});
  const r = Math.max(1.6, Math.min(3.4, svg.clientWidth / line.points.length / 4));
  line.points.forEach((point, i) => {
    if (point.y === null) return;
    const x = to.x(point.x), y = to.y(point.y);
    if (i % line.every === 0) mark(group, line, x, y, r);
    points.push({...point, line: line.name, at: [x, y]});
  });
};

// One panel: its axes, curves, and how it answers to pointer and keys.
const draw = (parent, plot, panel, width) => {
  const box = node(parent, "div", {class: "panel"});
  if (panel.title) node(box, "p", {}, panel.title);
  const top = panel.bands.length ? 20 : 8, bottom = plot.height - 50;
  const svg = node(box, "svg", {width, height: plot.height, viewBox: `0 0 ${width} ${plot.height}`, tabindex: 0, role: "group",
    "aria-roledescription": "plot", "aria-label": `${panel.title || panel.y_title}. [[Arrow keys go from point to point.]]`});
  const to = scales(panel, width, top, bottom), points = [];
  axes(svg, panel, to, width, top, bottom);
  for (const [y, kind, text] of panel.rules) {
    const rule = node(svg, "g", {class: kind});
    node(rule, "path", {class: "line", "stroke-dasharray": "1 4", d: `M${LEFT} ${to.y(y)}H${width - RIGHT}`});
    node(node(svg, "g"), "text", {x: width - RIGHT, y: to.y(y) - 4, "text-anchor": "end"}, text);
  }
  for (const line of panel.lines) curve(svg, line, to, points);
  for (const {at: [x], key} of points) if (key && key === plot.selected) node(svg, "line", {class: "chosen", x1: x, x2: x, y1: top, y2: bottom});
  answer(box, svg, points, plot.hint);
};
const tell = (kind, detail) => element.dispatchEvent(new CustomEvent(kind, {bubbles: true, detail}));

const answer = (box, svg, points, hint) => {
  const tip = node(box, "output", {class: "tip"}), ring = node(svg, "path", {class: "ring", d: ""});
  let now = -1;
  const show = (i, pointed = true) => {
    now = i;
    const point = points[i];
    if (pointed) tell("point-pointed", point?.key);
    ring.setAttribute("d", point ? shape("circle", ...point.at, 6) : "");
    tip.textContent = point ? point.says : "";
    if (!point) return;
    const [x, y] = point.at, offset = svg.offsetTop ?? box.querySelector("p")?.offsetHeight ?? 0;
    const above = y - tip.offsetHeight - 10;
    tip.style.left = `${Math.max(0, Math.min(x - tip.offsetWidth / 2, box.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${offset + (above > 0 ? above : y + 12)}px`;
  };
  const nearest = ({clientX, clientY}) => {
    const from = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    const far = points.map(({at: [x, y]}) => Math.hypot(x - from.x, (y - from.y) / 2));
    return far.indexOf(Math.min(...far));
  };
  const press = () => {
    if (!hint || !points[now]?.key) return;
    trigger("click", {key: points[now].key});
    tell("point-clicked", points[now].key);
  };
  const step = (by) => {
    // Up and down go to the next curve, at about the same place.
    const names = [...new Set(points.map((point) => point.line))], here = points[Math.max(now, 0)];
    const line = names[(names.indexOf(here.line) + by + names.length) % names.length];
    const gap = ({line: name, x}) => (name === line ? Math.abs(x - here.x) : Infinity);
    show(points.reduce((best, point, i) => (gap(point) < gap(points[best]) ? i : best), points.findIndex((point) => point.line === line)));
  };
  if (hint && points.some((point) => point.key)) svg.classList.add("act");
  pointed.push((key) => show(points.findIndex((point) => key && point.key === key), false));
  svg.addEventListener("pointermove", (event) => show(nearest(event)));
  svg.addEventListener("click", (event) => { show(nearest(event)); press(); });
  svg.addEventListener("focus", () => { if (now < 0 && svg.matches(":focus-visible")) show(0); });
  for (const kind of ["pointerleave", "blur"]) svg.addEventListener(kind, () => show(-1));
  svg.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: () => show(Math.min(now + 1, points.length - 1)), ArrowLeft: () => show(Math.max(now - 1, 0)),
      ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: press, " ": press, Escape: () => show(-1),
    };
    if (!points.length || !moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
};

const legend = (parent, plot) => {
  const caption = node(parent, "figcaption"), all = plot.legend ? plot.panels.flatMap((panel) => panel.lines) : [];
  for (const line of all.filter(({name}, i) => all.findIndex((one) => one.name === name) === i)) {
    const key = node(caption, "span", {class: `key ${line.kind}`}), svg = node(key, "svg", {width: 34, height: 12, "aria-hidden": "true"});
    node(svg, "path", {class: "line", d: "M0 6H34", "stroke-width": line.weight, "stroke-dasharray": DASHES[line.dash % DASHES.length]});
    mark(svg, line, 17, 6, 3.4);
    node(key, "span", {}, line.name);
  }
  for (const text of [...plot.notes, plot.hint]) if (text) node(caption, "p", {class: "note"}, text);
};

let drawn = 0, pointed = [];
// The drawing of a network in the same tab points at one of its blocks.
document.addEventListener("block-pointed", ({target, detail}) => {
  if (target.closest(".tabitem") === element.closest(".tabitem")) for (const point of pointed) point(detail);
});
const redraw = () => {
  const plot = props.value && JSON.parse(props.value), whole = element.clientWidth, focused = [...figure.querySelectorAll(".panel svg")].indexOf(document.activeElement);
  figure.replaceChildren();
  [pointed, drawn] = [[], whole];
  if (!plot || !whole) return;
  figure.setAttribute("aria-label", plot.alt);
  const panels = node(figure, "div", {class: "panels"});
  const abreast = Math.max(1, Math.min(plot.panels.length, Math.floor((whole + 16) / 380)));
  for (const panel of plot.panels) draw(panels, plot, panel, (whole - 16 * (abreast - 1)) / abreast);
  legend(figure, plot);
  figure.querySelectorAll(".panel svg")[focused]?.focus();
};
// A tab that opens, a window that changes: the plot is drawn anew for its new width.
new ResizeObserver(() => { if (element.clientWidth !== drawn) redraw(); }).observe(element);
watch("value", redraw);
redraw();
