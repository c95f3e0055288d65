// Everything a person does is an edit with what it replaced. Edits are numbered, kept here until the
// server has them, and sent again until it says so. Undoing is an edit too, so that it never ends,
// not even when the page is left in between.

export const name = (cell) => `${cell.level}/${cell.target}`;

// Asks the server for something in the name of this session.
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-form-token": document.querySelector("[name=form_token]").value,
    },
    body: JSON.stringify(body ?? {}),
  });
  const told = await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, told };
}

// How many edits are sent at a time, and how long at most one waits to send again, in milliseconds.
const TOGETHER = 200;
const LONGEST_PAUSE = 15_000;

const turned = (edit) => ({
  how: "undo",
  cells: (edit.cells ?? []).map(({ cell, before, after }) => ({ cell, before: after, after: before })),
  ...(edit.notes && { notes: { before: edit.notes.after, after: edit.notes.before } }),
});

export class Edits {
  // `changed` is called after each edit, `told` with how saving goes, `seconds` says how long the
  // work took so far.
  constructor(slot, kept, { changed, told, seconds }) {
    Object.assign(this, { slot, changed, told, seconds });
    this.cells = new Map();
    this.notes = {};
    this.done = [];
    this.undone = [];
    this.queue = [];
    this.sent = kept.length;
    this.sending = false;
    kept.forEach((edit) => this.#take(edit));
    this.#restore();
  }

  get unsaved() {
    return this.queue.length;
  }

  // What a page that was left or lost its connection had not sent yet. The tab's own storage holds
  // grades and comments of this report, never its text.
  #restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.#storage) ?? "null");
    if (!kept || kept.first > this.sent + 1) return;
    for (const edit of kept.edits.slice(this.sent + 1 - kept.first)) {
      this.#take(edit);
      this.queue.push(edit);
    }
  }

  get #storage() {
    return `edits of slot ${this.slot}`;
  }

  #keep() {
    const { sent, queue } = this;
    if (queue.length) sessionStorage.setItem(this.#storage, JSON.stringify({ first: sent + 1, edits: queue }));
    else sessionStorage.removeItem(this.#storage);
  }

  // Takes an edit into what stands, as the server's fold does.
  #take(edit) {
    for (const { cell, after } of edit.cells ?? []) {
      if (after) this.cells.set(name(cell), after);
      else this.cells.delete(name(cell));
    }
    if (edit.notes) this.notes = edit.notes.after;
    if (edit.how === "undo") this.undone.push(this.done.pop());
    else if (edit.how === "redo") this.done.push(this.undone.pop());
    else {
      this.done.push(edit);
      this.undone = [];
    }
  }

  apply(edit) {
    if ((edit.cells ?? []).length === 0 && !edit.notes) return;
    this.#take(edit);
    this.queue.push(edit);
    this.#keep();
    this.changed();
    this.save();
  }

  // Takes the last edit back, or up again, and returns it; undefined where there is none.
  undo() {
    const edit = this.done.at(-1);
    if (edit) this.apply(turned(edit));
    return edit;
  }

  redo() {
    const edit = this.undone.at(-1);
    if (edit) this.apply({ ...edit, how: "redo" });
    return edit;
  }

  // Sends what is not saved yet, until it is; false where the server refuses it.
  async save() {
    if (this.sending) return this.sending;
    this.sending = this.#send();
    const saved = await this.sending;
    this.sending = false;
    return saved;
  }

  async #send() {
    let failures = 0;
    while (this.queue.length) {
      this.told("saving…", "busy");
      const edits = this.queue.slice(0, TOGETHER);
      const body = { first: this.sent + 1, edits, seconds: this.seconds() };
      const answer = await post(`/api/v1/slots/${this.slot}/edits`, body).catch(() => null);
      if (answer?.ok) {
        failures = 0;
        this.sent += edits.length;
        this.queue.splice(0, edits.length);
        this.#keep();
      } else if (answer && answer.status < 500) {
        this.told(`not saved: ${answer.told.error ?? answer.status}`, "bad");
        return false;
      } else {
        failures += 1;
        const changes = this.queue.length === 1 ? "1 change is" : `${this.queue.length} changes are`;
        this.told(`no connection: ${changes} kept here`, "bad");
        await new Promise((later) => setTimeout(later, Math.min(500 * 2 ** failures, LONGEST_PAUSE)));
      }
    }
    this.told("saved", "");
    return true;
  }
}
