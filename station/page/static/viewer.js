// The surface: zoom, pan, contrast that lasts from part to part, and what was found drawn over it.

import { Tiles } from "./tiles.js";

const KEPT = "station.viewer";
const SVG = "http://www.w3.org/2000/svg";
const MOST = 32;
const AGAIN_MS = 1000;
const byId = (id) => document.getElementById(id);

function made(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function drawing(drawn, labels) {
  const { lines, columns, strips, rows } = drawn;
  const across = lines / strips;
  const down = columns / rows;
  const nodes = [];
  for (const [index, name, probability] of drawn.patches) {
    const bad = name !== labels.passing;
    if (!bad && index !== drawn.deciding) continue;
    const group = made("g", { "data-class": name, class: index === drawn.deciding ? "patch-mark decides" : "patch-mark" });
    const x = Math.floor(index / rows) * across;
    const y = (index % rows) * down;
    group.append(made("rect", { x, y, width: across, height: down }));
    const text = made("text", { x: x + across * 0.03, y: y + down * 0.03 });
    text.textContent = `${index} ${labels.of(name)} ${probability.toFixed(3)}`;
    group.append(text);
    nodes.push(group);
  }
  for (const mark of drawn.marks) {
    nodes.push(made("ellipse", {
      class: "defect-mark", "data-class": mark.name, cx: mark.x, cy: mark.y,
      rx: Math.max(mark.width, across * 0.06), ry: Math.max(mark.height, down * 0.06),
    }));
  }
  return nodes;
}

export class Viewer {
  constructor(labels) {
    this.labels = labels;
    this.frame = byId("viewer");
    this.stage = byId("stage");
    this.image = byId("surface");
    this.overlay = byId("overlay");
    this.pointers = new Map();
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    this.light = { brightness: kept.brightness ?? 100, contrast: kept.contrast ?? 100 };
    this.marks = kept.marks ?? true;
    this.place = { scale: 1, x: 0, y: 0 };
    this.tiles = new Tiles(byId("tiles"), this.frame);
    this.image.addEventListener("load", () => this.whole());
    this.image.addEventListener("error", () => this.missing());
    this.listen();
    this.lit();
  }

  // again: called a moment later where the scan is on its way to the archive.
  show(source, drawn, again) {
    const none = byId("no-surface");
    clearTimeout(this.waiting);
    this.stage.hidden = !drawn.kept;
    none.hidden = drawn.kept;
    none.textContent = none.dataset[drawn.state] ?? none.dataset.none;
    if (drawn.state === "pending") this.waiting = setTimeout(again, AGAIN_MS);
    if (!drawn.kept) return;
    this.source = source;
    this.drawn = drawn;
    this.tiles.leave();
    this.placed();
    this.overlay.replaceChildren();
    if (drawn.columns) {
      this.overlay.setAttribute("viewBox", `0 0 ${drawn.lines} ${drawn.columns}`);
      this.overlay.setAttribute("preserveAspectRatio", "none");
      this.overlay.append(...drawing(drawn, this.labels));
    }
    this.image.src = source;
  }

  clear() {
    clearTimeout(this.waiting);
    this.stage.hidden = true;
    byId("no-surface").hidden = true;
  }

  async missing() {
    this.stage.hidden = true;
    const place = byId("no-surface");
    place.hidden = false;
    try {
      const answer = await fetch(this.source, { headers: { accept: "application/json" } });
      place.textContent = (await answer.json()).refused;
    } catch {
      place.textContent = "?";
    }
  }

  // What is shown, in its own pixels: the part, or the whole scan.
  get size() {
    return this.tiles.size ?? { width: this.image.naturalWidth, height: this.image.naturalHeight };
  }

  whole() {
    const { width, height } = this.frame.getBoundingClientRect();
    const { width: wide, height: high } = this.size;
    if (!wide) return;
    const scale = Math.min(width / wide, height / high);
    this.place = { scale, x: (width - wide * scale) / 2, y: (height - high * scale) / 2 };
    this.moved();
  }

  // The scan as the camera gave it, or the part alone.
  async turnTo() {
    if (this.tiles.size) this.tiles.leave();
    else await this.tiles.enter(this.source.replace(/surface\.png$/, "scan"));
    this.placed();
    this.whole();
  }

  placed() {
    const raw = this.tiles.size !== null;
    this.image.hidden = raw;
    this.overlay.style.top = raw ? `${this.drawn.before}px` : "0";
    this.overlay.style.height = raw && this.drawn.columns ? `${this.drawn.columns}px` : "100%";
    document.querySelector("[data-tool=raw]").setAttribute("aria-pressed", raw);
  }

  zoom(factor, x, y) {
    const { width, height } = this.frame.getBoundingClientRect();
    const [at, down] = [x ?? width / 2, y ?? height / 2];
    const scale = Math.min(MOST, Math.max(0.05, this.place.scale * factor));
    const grown = scale / this.place.scale;
    this.place = { scale, x: at - (at - this.place.x) * grown, y: down - (down - this.place.y) * grown };
    this.moved();
  }

  pan(x, y) {
    this.place = { ...this.place, x: this.place.x + x, y: this.place.y + y };
    this.moved();
  }

  moved() {
    const { scale, x, y } = this.place;
    this.stage.style.width = `${this.size.width}px`;
    this.stage.style.height = `${this.size.height}px`;
    this.stage.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.stage.style.setProperty("--thin", `${2 / scale}px`);
    this.image.style.imageRendering = scale > 1 ? "pixelated" : "auto";
    this.frame.dataset.scale = scale.toFixed(3);
    this.tiles.draw(this.place);
  }

  lit() {
    const { brightness, contrast } = this.light;
    for (const shown of [this.image, this.tiles.place]) shown.style.filter = `brightness(${brightness}%) contrast(${contrast}%)`;
    byId("brightness").value = brightness;
    byId("contrast").value = contrast;
    this.overlay.style.visibility = this.marks ? "visible" : "hidden";
    document.querySelector("[data-tool=marks]").setAttribute("aria-pressed", this.marks);
    localStorage.setItem(KEPT, JSON.stringify({ ...this.light, marks: this.marks }));
  }

  use(tool) {
    if (tool === "in") this.zoom(1.5);
    else if (tool === "out") this.zoom(1 / 1.5);
    else if (tool === "whole") this.whole();
    else if (tool === "plain") this.light = { brightness: 100, contrast: 100 };
    else if (tool === "marks") this.marks = !this.marks;
    else if (tool === "raw" && !this.stage.hidden) this.turnTo();
    this.lit();
  }

  // True where the key was one of the viewer's.
  key(key) {
    const tool = { "+": "in", "=": "in", "-": "out", 0: "whole", g: "marks", r: "plain", t: "raw" }[key];
    if (tool) this.use(tool);
    return Boolean(tool);
  }

  listen() {
    for (const name of ["brightness", "contrast"]) {
      byId(name).addEventListener("input", (event) => {
        this.light[name] = Number(event.target.value);
        this.lit();
      });
    }
    byId("tools").addEventListener("click", (event) => {
      if (event.target.dataset.tool) this.use(event.target.dataset.tool);
    });
    this.frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { left, top } = this.frame.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
    }, { passive: false });
    this.frame.addEventListener("pointerdown", (event) => {
      this.frame.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    this.frame.addEventListener("pointermove", (event) => this.dragged(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.frame.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    addEventListener("resize", () => this.image.complete && this.whole());
  }

  dragged(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter((one) => one.pointerId !== event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (others.length === 0) this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    else {
      const [other] = others;
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      const { left, top } = this.frame.getBoundingClientRect();
      this.zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - left, (event.clientY + other.clientY) / 2 - top);
    }
  }
}

export function labelsOf(words) {
  const known = new Map(words.classes);
  return { passing: words.passing, review: words.review, of: (name) => known.get(name) ?? name };
}
