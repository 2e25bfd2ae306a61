// Drawn anew for every width. Which blocks are removed is decided here, at the click; of what the server sends, only a
// view of another name brings its own. Lengths are in pixels: nothing is scaled, so text stays legible.
const SVG = "http://www.w3.org/2000/svg";
const EDGE = 14, BOX = 26, LEAST = 34, MOST = 84, TWO = 620;
const part = (name) => element.querySelector(`.${name}`), blocks = () => [...element.querySelectorAll("[data-block]")];
const make = (name, attributes, ...children) => {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  made.append(...children);
  return made;
};
const room = (text) => 6.6 * text.length + 14, widest = (texts) => Math.max(0, ...texts.map(room));
let owner = null, removed = new Set(), shown = null, space = 0;

// A layer's box, with its left edge or its middle at x.
const layer = (text, x, y, middle = x + room(text) / 2) => [
  make("rect", {class: "layer", x: middle - room(text) / 2, y, width: room(text), height: BOX, rx: 4}),
  make("text", {class: "middle", x: middle, y: y + 17}, text),
];

const drawBlock = (about, x, y, step) => {
  const width = 0.7 * step, left = x + 0.15 * step, peak = y - 19, middle = x + step / 2;
  const centre = y + BOX / 2, end = x + step;
  const size = (by) => ({x: left - by, y: y - by, width: width + 2 * by, height: BOX + 2 * by, rx: 4 + by});
  const frame = (kind, by) => make("rect", {class: kind, ...size(by)});
  const made = make("g", {
    class: about.heat > 0.55 ? "hot" : "", role: "button", tabindex: -1, "data-block": about.name,
    "aria-label": about.says, style: `--heat: ${about.heat ?? 0.12}`,
  }, make("rect", {class: "hit", x, y: y - 16, width: step, height: BOX + 22}));
  const arc = `M${x + 1} ${centre}C${x} ${peak} ${end} ${peak} ${end - 1} ${centre}`;
  if (about.shortcut !== "none") made.append(make("path", {class: `shortcut ${about.shortcut}`, d: arc}));
  if (about.gated) made.append(make("circle", {class: "gate", cx: middle, cy: y - 8, r: 3.5}));
  made.append(frame("ring", 4), frame("box", 0), make("text", {class: "middle", x: middle, y: y + 17}, about.number));
  return Object.assign(made, {about});
};

// The rows of a network, with those that are too long broken into several of `each` blocks.
const broken = (rows, each) => rows.flatMap((row) => row.layers ? [row] : row.blocks
  .filter((_, i) => i % each === 0)
  .map((_, k) => ({label: k ? "" : row.label, blocks: row.blocks.slice(k * each, (k + 1) * each)})));

// From top to bottom, and one line through all of it, from the image to the classes.
const drawNetwork = (about, width) => {
  const inner = width - 2 * EDGE, most = Math.max(...about.rows.map((row) => (row.blocks || []).length));
  const each = Math.ceil(most / Math.ceil(most * LEAST / inner)), step = Math.min(MOST, inner / each);
  const parts = [];
  let y = 0, x = 0, line = "";
  for (const row of broken(about.rows, each)) {
    const top = y + (row.label ? 22 : 6) + (row.blocks ? 16 : 0), centre = top + BOX / 2;
    line += line ? `H${x + 8}V${y + 2}H3V${centre}` : `M${EDGE} ${centre}`;
    if (row.label) parts.push(make("text", {class: "label", x: EDGE, y: y + 15}, row.label));
    x = EDGE;
    for (const one of row.layers || row.blocks) {
      parts.push(...(row.layers ? layer(one, x, top) : [drawBlock(one, x, top, step)]));
      x += row.layers ? room(one) + 10 : step;
    }
    x -= row.layers ? 10 : 0;
    line += `H${x}`;
    y = top + BOX + 9;
  }
  return make("svg", {width, height: y, role: "group", "aria-label": about.label}, make("path", {class: "wire", d: line}), ...parts);
};

const panel = (colour, title, facts, drawing) => {
  const [made, head, more] = ["div", "h4", "span"].map((kind) => document.createElement(kind));
  [made.className, more.textContent] = [colour, facts];
  head.append(`${title} `, more);
  made.append(...(title ? [head] : []), drawing);
  return made;
};

// F(x) downwards at the left, S(x) beside it, and where they meet what follows.
const inside = ({name, shortcut: dashes, inside: {main, shortcut, title, gate, joint, after}}, {title: of, colour}) => {
  const pitch = BOX + 10, start = 34, meet = start + main.length * pitch, rest = meet + (joint ? pitch : 0);
  const end = rest + after.length * pitch, middle = widest([...main, joint]) / 2;
  const half = widest(shortcut ? [...shortcut, title, ...gate] : []) / 2, aside = 2 * middle + 16 + half;
  const column = (texts, x, y) => texts.flatMap((text, i) => layer(text, 0, y + i * pitch, x));
  const label = (text, x, y) => make("text", {class: "label middle", x, y}, text);
  const parts = [make("path", {class: "wire", d: `M${middle} 16V${end}`}), label("x", middle, 12)];
  if (shortcut) parts.push(
    make("path", {class: `shortcut ${dashes}`, d: `M${middle} 24H${aside}V${meet + BOX / 2}H${middle}`}),
    label(title, aside, 18), ...column(shortcut, aside, start + 6), ...layer(joint, 0, meet, middle));
  if (gate.length) parts.push(label("T", aside, meet + 46), ...column(gate, aside, meet + 52));
  parts.push(...column(main, middle, start), ...column(after, middle, rest));
  const says = [...main, ...(shortcut ? [`${title} shortcut`, ...shortcut, joint] : []), ...after].join(", ");
  const height = Math.max(end, gate.length && meet + 52 + 2 * pitch), width = shortcut ? aside + half : 2 * middle;
  return panel(colour, `${of} ${name}`, "", make("svg", {width, height, role: "img", "aria-label": says}, ...parts));
};
const told = (network, name) => network.rows.flatMap((row) => row.blocks || []).find((one) => one.name === name);
const point = (block) => {
  const {about} = block, {clickable, networks} = props.value;
  part("readout").textContent = about.says + (removed.has(about.name) ? ", [[removed]]" : "");
  if (clickable || shown === about.name) return;
  shown = about.name;
  part("insides").replaceChildren(...networks.map((one) => inside(told(one, shown), one)));
  mark();
};
// What is pressed: a removed block, or the one whose inside is shown.
const mark = () => {
  for (const block of blocks()) {
    const out = removed.has(block.about.name), here = block.about.name === shown;
    block.classList.toggle("out", out);
    block.classList.toggle("shown", here);
    block.setAttribute("aria-pressed", out || here);
  }
  part("restore").setAttribute("aria-disabled", !removed.size);
};

const remove = (names) => {
  removed = new Set(names);
  mark();
  props.value = {...props.value, removed: names};
};
const press = (block) => {
  const {name} = block.about, others = [...removed].filter((one) => one !== name);
  if (props.value.clickable) remove(removed.has(name) ? others : [...others, name]);
  point(block);
};

const draw = () => {
  const {value} = props, focused = element.contains(document.activeElement) && document.activeElement.about?.name;
  part("drawing").hidden = !value;
  space = part("networks").clientWidth;
  for (const shelf of ["networks", "insides"]) part(shelf).replaceChildren();
  if (!value || !space) return;
  if (owner !== value.name) [owner, removed] = [value.name, new Set(value.removed)];
  // It was on its way while a visitor clicked.
  const [mine, theirs] = [removed, value.removed].map((names) => [...names].toSorted());
  if (`${mine}` !== `${theirs}`) props.value = {...value, removed: mine};
  const {networks, clickable, scale} = value, columns = networks[1] && space >= TWO ? 2 : 1;
  part("networks").style.setProperty("--columns", columns);
  part("networks").replaceChildren(...networks.map((one) => panel(one.colour, one.title, one.facts,
    drawNetwork(one, (space - 24 * (columns - 1)) / columns))));
  part("drawing").className = `drawing ${networks[0].colour} ${clickable ? "" : "opened"} ${networks[1] ? "pair" : ""}`;
  part("restore").hidden = !clickable;
  part("readout").textContent = "[[Click a block to remove it or to put it back; arrow keys move from block to block.]]";
  [part("scale").hidden, part("low").textContent, part("high").textContent] = [!scale.length, ...scale];
  const all = blocks(), start = all.find((one) => one.about.name === (focused || shown || "layer2.0")) || all[0];
  start.setAttribute("tabindex", 0);
  if (focused) start.focus();
  shown = null;
  mark();
  if (!clickable) point(start);
};

// The next block in the direction of an arrow key: in reading order, or the nearest one above or below.
const next = (block, key) => {
  const all = blocks(), aside = {ArrowLeft: -1, ArrowRight: 1}[key], down = {ArrowUp: -1, ArrowDown: 1}[key];
  if (aside) return all[all.indexOf(block) + aside];
  const from = block.getBoundingClientRect();
  const far = (to) => 100 * down * (to.top - from.top) + Math.abs(to.left - from.left);
  const there = all.map((one) => [far(one.getBoundingClientRect()), one]);
  return down && there.filter(([by]) => by > 2000).toSorted(([a], [b]) => a - b)[0]?.[1];
};

element.addEventListener("click", (event) => {
  const block = event.target.closest("[data-block]");
  if (removed.size && event.target.closest(".restore")) remove([]);
  else if (block) press(block);
});
element.addEventListener("keydown", (event) => {
  const block = event.target.closest("[data-block]"), to = block && next(block, event.key);
  if (!block || !(to || ["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (!to) return press(block);
  [block.tabIndex, to.tabIndex] = [-1, 0];
  to.focus();
});
// A plot of the same tab points at the same blocks, and a click there is one here.
const tell = (kind, detail) => element.dispatchEvent(new CustomEvent(kind, {bubbles: true, detail}));
for (const kind of ["pointerover", "focusin"]) element.addEventListener(kind, (event) => {
  const block = event.target.closest("[data-block]");
  if (block) point(block);
  tell("block-pointed", block?.about.name);
});
element.addEventListener("pointerleave", () => tell("block-pointed"));
for (const kind of ["point-pointed", "point-clicked"]) document.addEventListener(kind, ({target, detail}) => {
  if (target.closest(".tabitem") !== element.closest(".tabitem")) return;
  for (const block of blocks()) {
    block.classList.toggle("pointed", block.about.name === detail);
    if (block.about.name === detail) (kind === "point-clicked" ? press : point)(block);
  }
});
new ResizeObserver(() => part("networks").clientWidth !== space && draw()).observe(part("networks"));
watch("value", draw);
draw();
