// The review of one report: the grid, its keys, and the way to the next report.
import { Edits, name, post } from "/assets/edits.js";
import { Images } from "/assets/images.js";
import { TONES } from "/assets/tones.js";
import { rangeOf, selection, words } from "/assets/words.js";

const $ = (selector) => document.querySelector(selector);
const same = (one, another) => JSON.stringify(one ?? null) === JSON.stringify(another ?? null);

const GRADES = ["normal", "mild", "mild_moderate", "moderate", "moderate_severe", "severe"];
const KEYS = {
  p: ["grade", "present"],
  "-": ["grade", "not_mentioned"],
  "−": ["grade", "not_mentioned"],
  x: ["grade", "unassessable"],
  h: ["hedge"],
  e: ["attach"],
  c: ["comment"],
  n: ["note"],
  l: ["misread"],
  b: ["send-back"],
  a: ["accept-all"],
  d: ["next-open"],
  u: ["undo"],
  r: ["redo"],
  t: ["text"],
  i: ["image", "image-mode"],
  s: ["image", "settle"],
  y: ["image", "names-right"],
  "[": ["image", "axial-up"],
  "]": ["image", "axial-down"],
  "{": ["image", "sagittal-right"],
  "}": ["image", "sagittal-left"],
  z: ["image", "closer"],
  Z: ["image", "farther"],
  w: ["image", "window-narrow"],
  W: ["image", "window-wide"],
  v: ["image", "window-reset"],
  o: ["image", "contours"],
  "+": ["levels"],
  "?": ["keys"],
  Backspace: ["clear"],
  Delete: ["clear"],
  Enter: ["accept"],
  U: ["flag", "unreadable"],
  L: ["flag", "not_lumbar"],
  T: ["flag", "transitional_anatomy"],
  C: ["flag", "contradictory"],
};
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// How long a person may do nothing before the clock of the work stops, and how often the server
// is told that they are there, in milliseconds.
const IDLE = 60_000;
const PULSE = 60_000;

let work;
let edits;
let current;
let active = 0;
let worked = 0;
let next = null;
let images = null;

function begin() {
  work = JSON.parse($("#work").textContent);
  worked = work.seconds;
  next = null;
  edits = new Edits(work.slot, work.edits, { changed: paint, told: state, seconds: () => worked });
  images = beginImages();
  const open = openCells();
  current = open[0] ?? firstShown() ?? $("#grid tbody tr:not([hidden]) button").dataset.cell;
  paint();
  focus(current);
  edits.save();
  if (!work.finished) ahead();
}

function beginImages() {
  const root = $("#images");
  if (!root) return null;
  const inGrid = (level) => buttonOf(`${level}/${parts(current).target}`);
  return new Images(root, JSON.parse($("#images-work").textContent), {
    slot: work.slot,
    chosen: (level) => inGrid(level) && focus(inGrid(level).dataset.cell),
    reportLabel: (cell) => stands(cell)?.verdict,
    say,
  });
}

const buttons = () => [...document.querySelectorAll("#grid button[data-cell]")];
const buttonOf = (cell) => $(`#grid button[data-cell="${CSS.escape(cell)}"]`);
const parts = (cell) => {
  const [level, target] = cell.split("/");
  return { level, target };
};
const shown = (cell) => work.shown[cell];
const stands = (cell) => edits.cells.get(cell) ?? shown(cell);
const verdictOf = (cell) => stands(cell)?.verdict ?? "not_mentioned";
const adjudicates = () => work.mode === "adjudication";
const firstShown = () => buttons().map((b) => b.dataset.cell).find((cell) => shown(cell));

// Cells that still want a look: shown and not accepted, or differing and not decided; the uncertain
// ones first.
function openCells() {
  const wanted = adjudicates() ? work.differing : Object.keys(work.shown);
  const order = buttons().map((button) => button.dataset.cell);
  const rank = (cell) => (shown(cell)?.uncertain ? 0 : order.length) + order.indexOf(cell);
  return wanted.filter((cell) => !edits.cells.has(cell)).sort((a, b) => rank(a) - rank(b));
}

const edited = (cell, after) => ({ cell: parts(cell), before: edits.cells.get(cell) ?? null, after });

function choose(list, change) {
  const changes = list.map((cell) => {
    const before = stands(cell);
    const base = {
      verdict: before?.verdict ?? "not_mentioned",
      certainty: before?.certainty ?? "stated",
      ...(edits.cells.get(cell)?.evidence && { evidence: edits.cells.get(cell).evidence }),
      ...(edits.cells.get(cell)?.comment && { comment: edits.cells.get(cell).comment }),
    };
    return [cell, { ...base, ...change(base) }];
  });
  const real = changes.filter(([cell, after]) => !same(edits.cells.get(cell), after));
  edits.apply({ how: "do", cells: real.map(([cell, after]) => edited(cell, after)) });
}

// A grade says what the report says, or, while images are graded, what the image shows.
const grade = (list, verdict) => {
  if (images?.grading) return images.record(list.map((cell) => parts(cell).target), verdict);
  choose(list, (base) => ({
    verdict,
    certainty: ["not_mentioned", "unassessable"].includes(verdict) ? "stated" : base.certainty,
  }));
};

function state(text, kind) {
  const place = $("#saved");
  place.textContent = text;
  place.dataset.kind = kind;
}

const say = (text) => {
  $("#left").textContent = text;
};

async function finish() {
  if (adjudicates() && openCells().length) {
    focus(openCells()[0]);
    return say(`${openCells().length} to decide first`);
  }
  if (!(await edits.save())) return say("what is not saved yet comes first");
  let answer;
  try {
    answer = await post(`/api/v1/slots/${work.slot}/finish`, { seconds: worked });
  } catch {
    return say("no connection; try again");
  }
  if (!answer.ok) return say(answer.told.error ?? "this could not be finished");
  await go(answer.told.next ? `/slots/${answer.told.next}` : "/");
}

// The next report is fetched while this one is read, so that it is there at once.
async function ahead() {
  const slot = work.slot;
  const answer = await post(`/api/v1/slots/${slot}/ahead`).catch(() => null);
  if (!answer?.ok || !answer.told.next || work.slot !== slot) return;
  const path = `/slots/${answer.told.next}`;
  const page = await fetch(path).catch(() => null);
  if (page?.ok && work.slot === slot) next = { path, html: await page.text() };
}

async function go(path) {
  if (next?.path !== path) return location.assign(path);
  const page = new DOMParser().parseFromString(next.html, "text/html");
  document.title = page.title;
  history.pushState(null, "", path);
  // The page was made before this report was done.
  const count = Number($("#done").textContent) + 1;
  $("#main").replaceWith(page.querySelector("#main"));
  $("#done").textContent = count;
  begin();
}

function paint() {
  for (const button of buttons()) {
    const cell = button.dataset.cell;
    const choice = edits.cells.get(cell);
    const stand = choice ?? shown(cell);
    const verdict = stand?.verdict ?? "not_mentioned";
    const open = adjudicates() && !choice && work.differing.includes(cell);
    const [tone, word] = TONES[verdict];
    const origin = choice ? (same(choice.verdict, shown(cell)?.verdict) ? "accepted" : "own") : stand ? "shown" : "none";
    button.className = `chip ${open ? "g-open" : tone} from-${origin}`;
    button.replaceChildren(open ? "differ" : word);
    const signs = [stand?.certainty === "hedged" && "?", !choice && shown(cell)?.conflict && "!", !choice && shown(cell)?.uncertain && "≈", choice?.comment && "✎"];
    for (const sign of signs.filter(Boolean)) {
      const mark = document.createElement("b");
      mark.className = "sign";
      mark.textContent = sign;
      button.append(mark);
    }
    const from = { accepted: "accepted", own: "yours", shown: `from ${stand?.origin}`, none: "" }[origin];
    const words = open ? "readers differ" : verdict.replaceAll("_", " ");
    button.setAttribute("aria-label", [`${button.dataset.name}: ${words}`, stand?.certainty === "hedged" && "hedged", from, !choice && shown(cell)?.uncertain && "uncertain"].filter(Boolean).join(", "));
    if (work.keys[cell]) button.dataset.k = work.keys[cell].join(" ");
    if (verdict !== "not_mentioned" || open) button.closest("tr").hidden = false;
  }
  for (const row of document.querySelectorAll("[data-row]")) {
    const choice = edits.cells.get(row.dataset.row);
    row.classList.toggle("decided", Boolean(choice));
    row.querySelectorAll("[data-take]").forEach((button) => {
      const side = work.sides[row.dataset.row]?.[button.dataset.take];
      const taken = choice && choice.verdict === (side?.verdict ?? "not_mentioned");
      button.setAttribute("aria-pressed", String(Boolean(taken)));
    });
  }
  for (const button of document.querySelectorAll("[data-flag]")) {
    button.setAttribute("aria-pressed", String((edits.notes.flags ?? []).includes(button.dataset.flag)));
  }
  $("#report-note").textContent = edits.notes.comment ?? "";
  images?.tell();
  const open = openCells().length;
  say(open ? `${open} ${adjudicates() ? "to decide" : "not looked at; done accepts them"}` : "");
  annotate();
}

// What is to be said of the focused cell, below the grid, and the words attached to it.
function annotate() {
  const choice = edits.cells.get(current);
  const button = buttonOf(current);
  const attached = (choice?.evidence ?? []).map(([start, end]) => words(start, end));
  const lines = [
    button.getAttribute("aria-label"),
    ...attached.map((text) => `“${text}”`),
    choice?.comment,
  ];
  const told = document.createElement("p");
  told.textContent = lines.filter(Boolean).join(" · ");
  $("#cell-note").replaceChildren(told, ...machines());
  if (!CSS.highlights) return;
  const ranges = (choice?.evidence ?? []).map(([start, end]) => rangeOf(start, end)).filter(Boolean);
  CSS.highlights.set("attached", new Highlight(...ranges));
}

// What each machine says of the focused cell, and how sure it is.
function machines() {
  const all = work.machines[current];
  if (!all) return [];
  const line = document.createElement("p");
  line.className = "machines";
  for (const { reader, verdict, certainty, probability, may_be } of all) {
    const [tone, word] = TONES[verdict];
    const chip = document.createElement("span");
    chip.className = `chip ${tone}`;
    chip.textContent = verdict === "not_mentioned" ? "not mentioned" : word;
    if (certainty === "hedged") chip.textContent += " ?";
    const sure = probability === undefined ? "" : ` ${Math.round(100 * probability)} %`;
    const said = document.createElement("span");
    said.append(`${reader} `, chip, sure, may_be ? ` (may be ${may_be.replaceAll("_", " ")})` : "");
    line.append(said);
  }
  return [line];
}

function focus(cell) {
  current = cell;
  for (const button of buttons()) button.tabIndex = button.dataset.cell === cell ? 0 : -1;
  const button = buttonOf(cell);
  button.closest("tr").hidden = false;
  button.focus();
  for (const row of document.querySelectorAll("[data-row]")) {
    row.classList.toggle("at", row.dataset.row === cell);
    if (row.dataset.row === cell) row.scrollIntoView({ block: "nearest" });
  }
  images?.look(parts(cell).level, parts(cell).target);
  annotate();
}

function move(columns, rows) {
  const cell = buttonOf(current).closest("td");
  const body = cell.closest("tbody");
  let y = cell.parentElement.sectionRowIndex;
  do y += rows;
  while (rows && body.rows[y]?.hidden);
  const target = body.rows[y]?.cells[cell.cellIndex + columns]?.querySelector("button");
  if (target) focus(target.dataset.cell);
}

function ask(title, text) {
  const dialog = $("#ask");
  const field = $("#ask-text");
  $("#ask-title").textContent = title;
  field.value = text ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((answer) => {
    dialog.addEventListener(
      "close",
      () => {
        buttonOf(current).focus();
        answer(dialog.returnValue === "ok" ? field.value.trim() : null);
      },
      { once: true },
    );
  });
}

function takeSide(side) {
  const said = work.sides[current];
  if (!said || side >= said.length) return;
  const { verdict, certainty, evidence } = said[side] ?? { verdict: "not_mentioned", certainty: "stated", evidence: [] };
  choose([current], () => ({ verdict, certainty, ...(evidence.length && { evidence }) }));
  toNextOpen();
}

function toNextOpen() {
  const order = buttons().map((button) => button.dataset.cell);
  const open = openCells();
  const after = open.find((cell) => order.indexOf(cell) > order.indexOf(current));
  if (after ?? open[0]) focus(after ?? open[0]);
  else focus(current);
}

const inLevel = () => buttons().map((b) => b.dataset.cell).filter((cell) => parts(cell).level === parts(current).level);

const ACTS = {
  grade: (verdict) => grade([current], verdict),
  "grade-level": (verdict) => grade(inLevel(), verdict),
  hedge: () => {
    if (TONES[verdictOf(current)][1] === "·") return say("there is nothing to hedge");
    choose([current], (base) => ({ certainty: base.certainty === "hedged" ? "stated" : "hedged" }));
  },
  attach: () => {
    const chosen = selection();
    if (!chosen) return say("select words of the report first");
    choose([current], (base) => ({ evidence: [...(base.evidence ?? []), chosen.span] }));
    focus(current);
  },
  comment: async () => {
    const cell = current;
    const text = await ask(`Comment on ${buttonOf(cell).dataset.name}`, edits.cells.get(cell)?.comment);
    if (text !== null) choose([cell], () => ({ comment: text || undefined }));
  },
  note: async () => {
    const text = await ask("Note on this report", edits.notes.comment);
    if (text !== null) noted({ ...edits.notes, comment: text });
  },
  flag: (flag) => {
    const flags = edits.notes.flags ?? [];
    noted({ ...edits.notes, flags: flags.includes(flag) ? flags.filter((one) => one !== flag) : [...flags, flag] });
  },
  misread: async () => {
    const chosen = selection();
    if (!chosen) return say("select the misread words first");
    const note = await ask(`Misread: “${chosen.text.slice(0, 80)}”. What does it say?`, "");
    if (note === null) return;
    const answer = await post(`/api/v1/slots/${work.slot}/suggest`, { phrase: chosen.text, note }).catch(() => null);
    say(answer?.ok ? "noted for the lexicon" : "this could not be noted");
  },
  "send-back": async () => {
    if (!adjudicates()) return;
    const reason = await ask("Send back to the annotators. Why?", "");
    if (!reason) return;
    const answer = await post(`/api/v1/slots/${work.slot}/send-back`, { reason }).catch(() => null);
    if (answer?.ok) location.assign("/");
    else say("this could not be sent back");
  },
  clear: () => {
    if (edits.cells.has(current)) edits.apply({ how: "do", cells: [edited(current, null)] });
  },
  accept: () => {
    if (shown(current) && !edits.cells.has(current)) choose([current], () => ({}));
    toNextOpen();
  },
  "accept-all": () => {
    if (!adjudicates()) choose(openCells(), () => ({}));
  },
  take: takeSide,
  "next-open": toNextOpen,
  undo: () => turn(edits.undo(), "nothing to undo"),
  redo: () => turn(edits.redo(), "nothing to redo"),
  finish,
  levels: () => {
    const rows = [...document.querySelectorAll("#grid tbody tr")];
    const all = rows.every((row) => !row.hidden);
    rows.forEach((row, i) => {
      row.hidden = all && (i < 4 || i > 8) && !row.querySelector(".chip:not(.g-none)");
    });
  },
  image: (act) => images?.act(act),
  keys: () => $("#keys").showModal(),
  text: () => {
    if (document.activeElement === $("#report")) focus(current);
    else $("#report").focus();
  },
};

// What changes what the report says, which nobody means while images are graded.
const OF_REPORT = new Set([
  "hedge", "attach", "comment", "note", "flag", "clear", "accept", "accept-all", "undo", "redo", "take",
]);

function act(name, argument) {
  if (images?.grading && name === "clear") return grade([current], "not_mentioned");
  if (images?.grading && OF_REPORT.has(name)) return say("grades say what the image shows; i leads back to the report");
  return (ACTS[name] ?? ACTS.image)(argument);
}

// Where the eye should be after an undo or redo.
function turn(edit, otherwise) {
  if (!edit) return say(otherwise);
  if (edit.cells?.[0]) focus(name(edit.cells[0].cell));
}

function noted(after) {
  const before = { ...edits.notes };
  for (const empty of ["flags", "comment"]) if (!after[empty]?.length) delete after[empty];
  if (!same(before, after)) edits.apply({ how: "do", cells: [], notes: { before, after } });
}

document.addEventListener("keydown", (event) => {
  active = Date.now();
  if (!$("#grid")) return;
  const dialog = $("dialog[open]");
  if (dialog) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.close("ok");
    return;
  }
  if (event.target.closest?.("header, input, textarea, select")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return finish();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    return act(event.shiftKey ? "redo" : "undo");
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inText = document.activeElement === $("#report");
  if (STEPS[event.key] && !inText) {
    event.preventDefault();
    return move(...STEPS[event.key]);
  }
  // A button other than a cell that has the focus is pressed by Enter, as everywhere.
  if (event.key === "Enter" && document.activeElement?.tagName === "BUTTON" && !document.activeElement.dataset.cell) return;
  const digit = event.code?.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
  if (digit !== undefined) {
    event.preventDefault();
    if (event.shiftKey) return adjudicates() ? act("take", digit - 1) : GRADES[digit] && ACTS["grade-level"](GRADES[digit]);
    if (GRADES[digit]) return ACTS.grade(GRADES[digit]);
    return;
  }
  const meant = KEYS[event.key];
  if (!meant) return;
  event.preventDefault();
  act(...meant);
});

document.addEventListener("click", (event) => {
  active = Date.now();
  if (!(event.target instanceof Element) || !$("#grid")) return;
  const cell = event.target.closest("#grid button[data-cell]");
  if (cell) return focus(cell.dataset.cell);
  const take = event.target.closest("[data-take]");
  if (take) {
    current = take.closest("[data-row]").dataset.row;
    return act("take", Number(take.dataset.take));
  }
  const row = event.target.closest("[data-row]");
  if (row) return focus(row.dataset.row);
  const button = event.target.closest("button[data-do]");
  if (button) return act(button.dataset.do, button.dataset.grade ?? button.dataset.flag ?? button.dataset.do);
  // Evidence leads to the first cell that rests on it.
  const mark = event.target.closest("#report mark[data-k]");
  if (!mark || !getSelection().isCollapsed) return;
  const keys = mark.dataset.k.split(" ");
  const found = buttons().find((one) => one.dataset.k?.split(" ").some((key) => keys.includes(key)));
  if (found) focus(found.dataset.cell);
});

document.addEventListener("focusin", (event) => {
  const cell = event.target.closest?.("#grid button[data-cell]");
  if (cell && cell.dataset.cell !== current) focus(cell.dataset.cell);
});

// Buttons take no focus by the mouse, so that words stay selected and keys go on to the grid.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest?.("button[data-do], #grid button")) event.preventDefault();
});
document.addEventListener("pointermove", () => {
  active = Date.now();
});

setInterval(() => {
  if (!document.hidden && Date.now() - active < IDLE) worked += 1;
}, 1000);
setInterval(() => {
  if (document.hidden || !$("#grid")) return;
  const held = (answer) => answer.ok || say(answer.told.error ?? "");
  post(`/api/v1/slots/${work.slot}/hold`).then(held, () => {});
}, PULSE);
addEventListener("online", () => edits.save());
addEventListener("beforeunload", (event) => {
  if (edits?.unsaved) event.preventDefault();
});
addEventListener("popstate", () => location.reload());

active = Date.now();
begin();
