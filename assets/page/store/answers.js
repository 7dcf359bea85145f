/**
 * Which gestures the server has answered. Every gesture has a number; an answer carries the newest one that the
 * server has seen, and is shown only where no newer gesture is on its way. Knows no document and no network.
 */

const PATIENCE = 10_000; // ms; a lost answer must not stop the rest

export class Answers {
  #asked = 0; // number of the newest gesture
  #answered = 0;
  #serial = 0; // of the newest document that was shown
  #refused = null; // why a gesture was taken back, where its answer was overtaken by another one
  #waiting = []; // [number, what to do once the server has seen it]

  /** The number of a new gesture, beyond any that the document knows. */
  next(known) {
    if (this.settled) this.#refused = null; // what was said of a gesture stands until the next one
    this.#asked = Math.max(this.#asked, known) + 1;
    return this.#asked;
  }

  /** Whether the server has seen and saved every gesture. */
  get settled() {
    return this.#answered >= this.#asked;
  }

  /** Takes note of an answer {rev, serial, error}; whether it is to be shown. */
  hear({ rev, serial = 0, error = null }) {
    const first = rev > this.#answered;
    this.#answered = Math.max(this.#answered, rev);
    const due = this.#waiting.filter(([wanted]) => wanted <= this.#answered);
    this.#waiting = this.#waiting.filter(([wanted]) => wanted > this.#answered);
    for (const [, resolve] of due) resolve();
    const stale = rev < this.#asked || serial < this.#serial;
    if (stale && first && error) this.#refused = error;
    if (!stale) this.#serial = serial;
    return !stale;
  }

  /** Why a gesture was refused whose answer could not be shown. */
  get refused() {
    return this.#refused;
  }

  /** Until the server has seen a gesture, and for ten seconds at most. */
  until(number) {
    if (number <= this.#answered) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      this.#waiting.push([number, () => {
        clearTimeout(timer);
        resolve();
      }]);
    });
  }
}
