/**
 * One file at a time on its way to the server: how it gets there, and how it is given up, by hand or for another one.
 * What the microphone gave is given up for nothing.
 */

import { newId } from '../music/cells.js';
import { Scope } from '../parts/scope.js';
import { tooLarge } from '../store/arrivals.js';
import { desk } from '../store/desk.js';

const PATIENCE = 30_000; // ms until a recording is no longer waited for

/** Puts a file into the server's upload folder; gives its path there. Gradio's own way cannot be stopped. */
async function put(file, name, signal) {
  const body = new FormData();
  // Gradio keeps files by their content and name, and the server drops what it has read: another tab may send the same.
  body.append('files', new File([file], name, { type: file.type }));
  const answer = await fetch(new URL('gradio_api/upload', document.baseURI), { method: 'POST', body, signal });
  if (!answer.ok) throw new Error((await answer.text()) || `${answer.status}`);
  const [path] = await answer.json();
  return path;
}

export class Sending {
  #trigger;
  #going = null; // {id, stop} of the file whose bytes are on their way

  /** `trigger` tells the server what came. */
  constructor(trigger) {
    this.#trigger = trigger;
  }

  /**
   * Sends a file, or names an example; both go onto the timeline there. A recording {at} is waited for, until it is
   * there: whether it is.
   */
  send({ file, example, at = null, ...where }) {
    const instead = this.#makeRoom();
    const id = newId('f') + newId('');
    if (example) {
      desk.arrive({ id, name: 'The example', step: 'reading', size: 0, instead });
      return this.#trigger('upload', { id, path: '', name: '', example });
    }
    const there = this.#send(file, { id, instead, at, ...where });
    return at === null ? undefined : there.then((sent) => sent && this.#over(id));
  }

  async #send(file, { id, instead, at = null, ...where }) {
    const { name, size } = file;
    const refused = tooLarge(file, globalThis.gradio_config?.max_file_size);
    if (refused) return this.#fail(name, refused);
    const began = performance.now();
    desk.arrive({ id, name, step: 'uploading', size, instead, kept: at !== null });
    const path = await this.#carry(file, id);
    if (!path) return false;
    if (desk.arriving?.id === id) desk.arrive({ ...desk.arriving, step: 'reading', took: (performance.now() - began) / 1000 });
    this.#trigger('upload', { id, path, name, at, ...where });
    return true;
  }

  /** The path on the server; "" where it did not get there, or was given up. */
  async #carry(file, id) {
    const stop = new AbortController();
    this.#going = { id, stop };
    let path = '';
    try {
      path = await put(file, id + (/\.[^.]+$/.exec(file.name)?.[0] ?? ''), stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) this.#fail(file.name, `${file.name}: could not be sent (${error.message}); try again.`);
    }
    if (this.#going?.id === id) this.#going = null;
    return stop.signal.aborted ? '' : path;
  }

  /** Stops what is still on its way; false where its bytes are there already. */
  stop(id) {
    if (this.#going?.id !== id) return false;
    this.#going.stop.abort();
    this.#going = null;
    return true;
  }

  /** A file that still comes is not awaited any more where another is given; its name. */
  #makeRoom() {
    const { arriving } = desk;
    if (!arriving?.step || arriving.kept) return '';
    desk.withdraw();
    return arriving.name;
  }

  /** Until the server has answered to what it got, and for a while at most: what is done after it waits. */
  #over(id) {
    return new Promise((resolve) => {
      const scope = new Scope();
      const done = () => {
        scope.end();
        resolve(true);
      };
      scope.later(PATIENCE, done);
      scope.listen(desk, 'change', () => desk.arriving?.id !== id && done());
      if (desk.arriving?.id !== id) done();
    });
  }

  #fail(name, error) {
    desk.arrive({ name, error });
    return false;
  }
}
