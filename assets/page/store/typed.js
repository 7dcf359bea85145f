/**
 * What was typed into the prompt, and for what: the clip, or the span that was active. Gradio sends a field's value
 * when its last request is answered, and another span may be active by then. Knows no DOM.
 */

/** Id of the active span, which words and ticks are for as long as it is active; '' for the clip, or without one. */
export function worded({ spans, active, clip }) {
  return clip && spans.some(({ id }) => id === active) ? active : '';
}

export class Typed {
  #last = null;
  #taken = true;

  /** Words that were typed while the document was `doc`. */
  note(words, doc) {
    this.#last = { words, span: worded(doc) };
    this.#taken = false;
  }

  /** [words, span] that nobody has taken yet, else [null, '']. */
  take() {
    if (this.#taken) return [null, ''];
    this.#taken = true;
    return [this.#last.words, this.#last.span];
  }

  /** The words that were typed last, whoever has taken them. */
  get words() {
    return this.#last?.words ?? '';
  }

  /** What they were typed for. */
  get span() {
    return this.#last?.span ?? '';
  }
}
