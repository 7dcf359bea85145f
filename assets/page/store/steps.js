/**
 * Undo and redo as far as the page knows them, so that a step is shown before the server has answered: of each
 * gesture what it changed, {field of the document: what stood there}. The server has the last word: what is
 * shown here is what its answer is expected to hold. Knows no document.
 */

const MOST = 200; // steps that the server keeps

const NO_STEP = ['judge_again']; // nothing of the document

export class Steps {
  merging = new Set(); // names of edits that make one step where they follow each other
  #back = []; // [{name, before, after}], the newest last; where it ends only the server knows
  #forth = []; // the next one last
  #past = 0; // steps that the server will have, back and forward
  #future = 0;

  get canUndo() {
    return this.#past > 0;
  }

  get canRedo() {
    return this.#future > 0;
  }

  /** What the server has. Another number of steps than was expected: something else has been at it. */
  agree(past, future) {
    if (past === this.#past && future === this.#future) return;
    [this.#past, this.#future] = [past, future];
    [this.#back, this.#forth] = [[], []];
  }

  /** A gesture. One that changes nothing makes no step. */
  did(name, before, after) {
    const fields = Object.keys(after);
    if (NO_STEP.includes(name)) return;
    if (fields.length && fields.every((field) => JSON.stringify(before[field]) === JSON.stringify(after[field]))) return;
    const last = this.#back.at(-1);
    if (last?.name === name && this.merging.has(name) && !this.#future) {
      last.before = { ...before, ...last.before };
      last.after = { ...last.after, ...after };
      return;
    }
    this.#back.push({ name, before, after });
    this.#forth = [];
    this.#past = Math.min(MOST, this.#past + 1);
    this.#future = 0;
  }

  /** What a step back shows; nothing where only the server knows. */
  undo() {
    const step = this.#back.pop() ?? null;
    this.#forth.push(step && { ...step, name: '' }); // a step that was undone takes no other in
    this.#past -= 1;
    this.#future += 1;
    return step?.before ?? {};
  }

  redo() {
    const step = this.#forth.pop() ?? null;
    if (step) this.#back.push(step);
    else this.#back = []; // what lies before it is no longer known to lie there
    this.#past += 1;
    this.#future -= 1;
    return step?.after ?? {};
  }
}
