/**
 * Edits that the server has not confirmed yet, kept in the tab's own storage: what a reload has overtaken is
 * sent again by the next page, and a page that is being closed sends it in a request that outlives it. Each
 * has an id, so that the server does it once. Knows neither the desk nor Gradio.
 */

const KEY = 'inlay-outbox';

export class Outbox {
  #store;
  #edits;

  constructor(store) {
    this.#store = store;
    try {
      this.#edits = JSON.parse(store.getItem(KEY) ?? '[]');
    } catch {
      this.#edits = [];
    }
    if (!Array.isArray(this.#edits)) this.#edits = [];
  }

  /** Edits {id, project, name, payload}, oldest first. */
  get pending() {
    return this.#edits;
  }

  add(edit) {
    this.#edits = [...this.#edits, edit];
    this.#write();
  }

  /** An edit that another has overtaken before it was sent. */
  drop({ id }) {
    this.confirm([id]);
  }

  /** The server has seen edits of these ids. */
  confirm(ids) {
    const seen = new Set(ids);
    const left = this.#edits.filter(({ id }) => !seen.has(id));
    if (left.length === this.#edits.length) return;
    this.#edits = left;
    this.#write();
  }

  /** The edits of one project are another's now; returns them, oldest first. */
  move(from, to) {
    const moved = (edit) => (edit.project === from ? { ...edit, project: to } : edit);
    const found = this.#edits.filter(({ project }) => project === from).map(moved);
    if (found.length) {
      this.#edits = this.#edits.map(moved);
      this.#write();
    }
    return found;
  }

  #write() {
    try {
      if (this.#edits.length) this.#store.setItem(KEY, JSON.stringify(this.#edits));
      else this.#store.removeItem(KEY);
    } catch {
      // No room: the edit is on its way all the same.
    }
  }
}
