/**
 * One line for all that changes the document, in the order of the hand: each waits for the answer to the one before,
 * because of two requests on their way at once the later one may arrive first. Knows neither desk nor Gradio.
 */

const sameField = (a, b) => a.field && b.field && a.name === b.name && a.payload.span === b.payload.span
  && Object.keys(a.payload).join() === Object.keys(b.payload).join();

export class Line {
  #waiting = []; // [{edit} or {work, done}]
  #busy = true;
  #deliver;

  /** `opened` resolves once the project of this tab is known; `deliver` sends an edit, until it is answered. */
  constructor(opened, deliver) {
    this.#deliver = deliver;
    opened.then(() => this.#next());
  }

  /** An edit {name, payload, field}; gives one of the same field that still waited, and is sent no more. */
  edit(edit) {
    const last = this.#waiting.at(-1);
    if (last?.edit && sameField(last.edit, edit)) {
      const overtaken = last.edit;
      last.edit = edit;
      return overtaken;
    }
    this.#join({ edit });
    return null;
  }

  /** Anything else that has to wait for its turn; the next one waits for what it gives. */
  then(work) {
    return new Promise((done) => { this.#join({ work, done }); });
  }

  #join(one) {
    this.#waiting.push(one);
    if (!this.#busy) this.#next();
  }

  async #next() {
    const one = this.#waiting.shift();
    this.#busy = Boolean(one);
    if (!one) return;
    try {
      const answer = await (one.edit ? this.#deliver(one.edit) : one.work());
      one.done?.(answer);
    } catch (error) {
      console.error(error); // the rest goes on
    }
    this.#next();
  }
}
