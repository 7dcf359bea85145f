/** A clip that was asked for is heard when it is ready, once, unless something else sounds by then. */

export class FirstSound {
  #asked = null; // ids of the takes that there were when Generate was pressed

  /** Generate was pressed. `tracks` are those there are. */
  ask(tracks) {
    this.#asked = new Set(tracks.map(({ id }) => id));
  }

  /** The run is over, or was given up. */
  forget() {
    this.#asked = null;
  }

  /** The take to be played now: the first one that is ready since it was asked for; null while there is none. */
  next(tracks, { playing, hidden }) {
    if (!this.#asked) return null;
    const ready = tracks.find(({ id, kind, state, whole, extends: longer }) => kind === 'take' && state === 'ready' && whole && !longer && !this.#asked.has(id));
    if (!ready) return null;
    this.forget();
    return playing || hidden ? null : ready;
  }
}
