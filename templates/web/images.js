// The images of a study: the spine from the side, and the slices of the level that is looked at.
import { post } from "/assets/edits.js";
import { TONES } from "/assets/tones.js";

const SVG = "http://www.w3.org/2000/svg";
// The grades that the network tells apart, with their places among all.
const WHOLE_GRADES = [["normal", 0], ["mild", 1], ["moderate", 3], ["severe", 5]];
const CLOSEST = 6;
const NARROWEST = 0.25;
const WIDEST = 4;

const between = (least, value, most) => Math.min(Math.max(value, least), most);

function made(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(tag, attributes, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, attributes);
  element.append(...children);
  return element;
}

// The slices of one series at one level, which come one below the other in one picture.
class View {
  constructor(figure, changed) {
    Object.assign(this, { figure, changed, kind: figure.dataset.series, words: figure.dataset.words });
    this.canvas = figure.querySelector("canvas");
    this.caption = figure.querySelector("figcaption");
    this.zoom = 1;
    this.shift = [0, 0];
    this.canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
    this.canvas.addEventListener("pointermove", (event) => this.#drag(event));
    this.canvas.addEventListener("dblclick", () => this.whole());
  }

  // Shows a series, from its middle slice; nothing where a level has none.
  async show(series) {
    this.figure.hidden = !series;
    if (!series || this.series?.url === series.url) return;
    this.series = series;
    this.slice = Math.floor(series.slices / 2);
    const strip = new Image();
    strip.src = series.url;
    const came = await strip.decode().then(() => true, () => false);
    if (this.series !== series) return;
    this.strip = came ? strip : null;
    this.canvas.width = series.width;
    this.canvas.height = series.height;
    this.paint();
  }

  step(by) {
    if (!this.series || this.figure.hidden) return;
    this.slice = between(0, this.slice + by, this.series.slices - 1);
    this.paint();
  }

  closer(by) {
    this.zoom = between(1, this.zoom * by, CLOSEST);
    this.paint();
  }

  whole() {
    this.zoom = 1;
    this.shift = [0, 0];
    this.paint();
  }

  paint() {
    if (!this.series) return;
    const { width, height, slices } = this.series;
    const context = this.canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    const [w, h] = [width / this.zoom, height / this.zoom];
    // The part that is shown stays within the slice.
    this.shift = this.shift.map((off, axis) => {
      const room = [width - w, height - h][axis] / 2;
      return between(-room, off, room);
    });
    const [x, y] = [(width - w) / 2 + this.shift[0], (height - h) / 2 + this.shift[1]];
    if (this.strip) context.drawImage(this.strip, x, this.slice * height + y, w, h, 0, 0, width, height);
    this.caption.textContent = this.strip ? `${this.words} ${this.slice + 1}/${slices}` : `${this.words} cannot be shown`;
    this.canvas.setAttribute("aria-label", this.caption.textContent);
  }

  #wheel(event) {
    event.preventDefault();
    const down = Math.sign(event.deltaY);
    if (event.ctrlKey || event.metaKey) this.closer(down < 0 ? 1.25 : 0.8);
    else this.step(down);
  }

  // The left button moves what is seen closely, the right one or Shift changes the window.
  #drag(event) {
    if (!event.buttons) return;
    if (event.buttons === 2 || event.shiftKey) return this.changed(event.movementX, event.movementY);
    const scale = this.series.width / this.canvas.clientWidth / this.zoom;
    this.shift = [this.shift[0] - event.movementX * scale, this.shift[1] - event.movementY * scale];
    this.paint();
  }
}

export class Images {
  // What people see is recorded with a slot. `chosen` is called with the level that a person clicks at, `reportLabel` says what the report
  // says of a cell, `say` tells a person how it went.
  constructor(root, data, { slot, chosen, reportLabel, say }) {
    Object.assign(this, { root, data, slot, chosen, reportLabel, say });
    this.brightness = 1;
    this.contrast = 1;
    this.grading = false;
    this.settling = false;
    const window = (across, down) => {
      this.contrast = between(NARROWEST, this.contrast * 1.01 ** across, WIDEST);
      this.brightness = between(NARROWEST, this.brightness * 1.01 ** -down, WIDEST);
      this.#light();
    };
    this.views = [...root.querySelectorAll("[data-series]")].map((figure) => new View(figure, window));
    root.addEventListener("contextmenu", (event) => event.target.closest("canvas") && event.preventDefault());
    root.querySelector("#names").addEventListener("change", () => this.#rename());
    this.#drawMedian();
  }

  #drawMedian() {
    const { width, height, discs } = this.data;
    const svg = this.root.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.contours = made("image", { href: this.#path("contours"), width, height });
    this.lines = new Map();
    const lines = discs.map((disc) => {
      const [x1, y1, x2, y2] = disc.line;
      const hit = made("line", { x1, y1, x2, y2, class: "hit" });
      const word = made("text", { x: x1 - 5, y: y1 + 4, "text-anchor": "end" }, disc.level ?? `disc ${disc.ordinal + 1}`);
      const group = made("g", { class: "disc" }, hit, made("line", { x1, y1, x2, y2 }), word);
      group.addEventListener("click", () => this.#choose(disc));
      this.lines.set(disc.ordinal, group);
      return group;
    });
    svg.replaceChildren(made("image", { href: this.#path("median"), width, height }), this.contours, ...lines);
  }

  #path(rest) {
    return `/studies/${this.data.study}/${this.data.run}/${rest}.png`;
  }

  #choose(disc) {
    if (disc.level) this.chosen(disc.level);
    this.#show(disc);
  }

  // Shows the slices of a level and what was read at it; the last ones stay where it was not found.
  look(level, target) {
    this.target = target;
    this.#show(this.data.discs.find((disc) => disc.level === level));
  }

  #show(disc) {
    this.disc = disc;
    for (const [ordinal, line] of this.lines) line.classList.toggle("at", ordinal === disc?.ordinal);
    for (const view of this.views) {
      const series = disc?.series.find(({ kind }) => kind === view.kind);
      view.show(series && { ...series, url: this.#path(`${disc.ordinal}/${series.kind}`) });
    }
    this.tell();
  }

  // A row a target: what the report says, what people see on the image, what machines do.
  tell() {
    const { disc } = this;
    document.getElementById("measures").textContent = disc ? disc.measures : "This level was not found on the images.";
    for (const row of this.root.querySelectorAll("[data-target]")) {
      const { target } = row.dataset;
      const says = disc?.says[target] ?? [];
      const of = (kind) => says.filter((said) => said.kind === kind);
      const report = disc?.level && this.reportLabel(`${disc.level}/${target}`);
      row.classList.toggle("at", target === this.target);
      const cells = [
        report ? [this.#chip(report)] : [],
        of("person").map((said) => this.#chip(said.verdict, said.name)),
        of("measurement").map((said) => this.#chip(said.verdict)),
        of("grader").flatMap((said) => this.#network(said)),
      ];
      cells.forEach((content, place) => row.cells[place + 1].replaceChildren(...content));
    }
  }

  #chip(verdict, title) {
    const [tone, word] = TONES[verdict];
    return html("span", { className: `chip ${tone}`, title: title ?? "" }, word);
  }

  // The network's grade, chosen as if all grades were as frequent; how probable each is where they are
  // not; and those it cannot exclude.
  #network({ verdict, distribution, may_be }) {
    const bars = made("svg", { class: "bars", viewBox: "0 0 44 18", role: "img" });
    const shares = WHOLE_GRADES.map(([grade, place]) => [grade, distribution?.[place] ?? 0]);
    bars.append(made("title", {}, shares.map(([grade, share]) => `${grade} ${Math.round(100 * share)} %`).join(", ")));
    shares.forEach(([grade, share], place) => {
      const high = Math.max(16 * share, 1);
      bars.append(made("rect", { x: 11 * place + 1, y: 17 - high, width: 9, height: high, class: TONES[grade][0] }));
    });
    return [this.#chip(verdict), bars, ...(may_be ? [html("small", {}, `may be ${may_be.replaceAll("_", " ")}`)] : [])];
  }

  #light() {
    for (const view of this.views) {
      view.canvas.style.filter = `contrast(${this.contrast}) brightness(${this.brightness})`;
    }
  }

  // Whether grades that are chosen now say what the image shows.
  grade() {
    this.grading = !this.grading;
    this.root.classList.toggle("grading", this.grading);
    this.#press("image-mode", this.grading);
    this.say(this.grading ? "grades now say what the image shows" : "grades say what the report says again");
  }

  // Whether they settle it, for those who may.
  settle() {
    if (!this.root.querySelector("[data-do=settle]")) return;
    this.settling = !this.settling;
    this.#press("settle", this.settling);
    this.say(this.settling ? "grades of the image settle what it shows" : "grades of the image are one opinion");
  }

  #press(button, is) {
    this.root.querySelector(`[data-do=${button}]`).setAttribute("aria-pressed", String(is));
  }

  // Records what the image shows of targets at the level.
  async record(targets, verdict) {
    const { disc } = this;
    if (!disc?.level) return this.say("this level was not found on the images");
    const asked = { run: this.data.run, ordinal: disc.ordinal, targets, verdict, settles: this.settling };
    const answer = await post(`/api/v1/slots/${this.slot}/look`, asked).catch(() => null);
    if (!answer?.ok) return this.say(answer?.told.error ?? "no connection; this was not recorded");
    disc.says = answer.told.says;
    this.tell();
    const done = verdict === "not_mentioned" ? "taken back" : "recorded";
    this.say(`${done} what the image shows`);
  }

  // Calls the lowest disc as is chosen, and all others by it, in this person's name.
  async #rename() {
    const [lowest, lumbar] = this.root.querySelector("#names").value.split(" ");
    const { study, run } = this.data;
    const asked = { run, lowest, lumbar: Number(lumbar) };
    const answer = await post(`/api/v1/studies/${study}/names`, asked).catch(() => null);
    if (answer?.ok) location.reload();
    else this.say(answer?.told.error ?? "no connection; the names stay as they were");
  }

  act(name) {
    const step = (plane, by) => this.views.filter((view) => view.kind.startsWith(plane)).forEach((view) => view.step(by));
    const acts = {
      "axial-up": () => step("axial", -1),
      "axial-down": () => step("axial", 1),
      "sagittal-right": () => step("sagittal", -1),
      "sagittal-left": () => step("sagittal", 1),
      closer: () => this.views.forEach((one) => one.closer(1.25)),
      farther: () => this.views.forEach((one) => one.closer(0.8)),
      contours: () => this.contours.toggleAttribute("hidden"),
      "window-narrow": () => this.#window(1.15),
      "window-wide": () => this.#window(1 / 1.15),
      "image-mode": () => this.grade(),
      settle: () => this.settle(),
      "names-right": () => this.root.querySelector("[data-do=names-right]") && this.#rename(),
      "window-reset": () => {
        this.contrast = this.brightness = 1;
        this.views.forEach((one) => one.whole());
        this.#light();
      },
    };
    acts[name]?.();
  }

  #window(by) {
    this.contrast = between(NARROWEST, this.contrast * by, WIDEST);
    this.#light();
  }
}
