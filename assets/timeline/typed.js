/**
 * What was typed into the prompt, and for what: the clip, or the span that was active. Gradio sends a field's value
 * when its last request is answered, and another span may be active by then. Knows no DOM.
 */

/** Id of the active span where it has words and lanes of its own, else '' for the clip. */
export function worded({ spans, active }) {
  const span = spans.find(({ id }) => id === active);
  return span && span.prompt !== null ? span.id : '';
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
