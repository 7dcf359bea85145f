/**
 * What begins together and ends together: listeners, timers, frames and observers of an element, a dialog or a sound.
 * `end` takes all of them away, so that nothing goes on for what is no longer there.
 */

export class Scope {
  #ends = new AbortController();

  /** For `addEventListener`, and for whatever else knows signals. */
  get signal() {
    return this.#ends.signal;
  }

  listen(target, kinds, handler, options = {}) {
    for (const kind of [kinds].flat()) target.addEventListener(kind, handler, { ...options, signal: this.signal });
  }

  /** Once, after some milliseconds. Gives what takes it back. */
  later(ms, handler) {
    return this.#until(setTimeout(handler, ms), clearTimeout);
  }

  /** Again and again. */
  every(ms, handler) {
    return this.#until(setInterval(handler, ms), clearInterval);
  }

  /**
   * Before each frame that the browser draws, from a call of what it gives on, for as long as `handler` answers that
   * something moves: a page that rests draws nothing.
   */
  frames(handler) {
    let frame = 0;
    const next = () => {
      frame = 0;
      if (handler()) go();
    };
    const go = () => { if (!frame && !this.signal.aborted) frame = requestAnimationFrame(next); };
    this.signal.addEventListener('abort', () => cancelAnimationFrame(frame), { once: true });
    return go;
  }

  /** `watch`: a ResizeObserver, MutationObserver or the like. */
  observe(watch, node, options) {
    watch.observe(node, options);
    this.signal.addEventListener('abort', () => watch.disconnect(), { once: true });
  }

  end() {
    this.#ends.abort();
  }

  #until(timer, clear) {
    const stop = () => clear(timer);
    this.signal.addEventListener('abort', stop, { once: true });
    return stop;
  }
}
