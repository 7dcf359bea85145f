/** A MIDI keyboard by Web MIDI: which one, what is pressed, and in words why there is none. Knows no lanes. */

import { Scope } from '../parts/scope.js';
import { keyOf } from './played.js';

const NO_WEB_MIDI = 'This browser gives pages no MIDI keyboard; Chromium does. Tap drums with ⇧T, then A S D F G.';

export class Keyboard extends EventTarget {
  state = 'off'; // "off" | "asking" | "ready" | "refused"
  words = '';
  pressed = new Set();
  last = null; // {pitch, velocity}
  #access = null;
  #scope = null;

  get possible() {
    return Boolean(navigator.requestMIDIAccess);
  }

  /** Names of what is plugged in. */
  get inputs() {
    return this.#access ? [...this.#access.inputs.values()].filter(({ state }) => state !== 'disconnected') : [];
  }

  /** Whether the browser has already said yes, so that it need not be asked again. */
  async allowed() {
    if (!this.possible) return false;
    const permission = await navigator.permissions?.query({ name: /** @type {any} */ ('midi') }).catch(() => null);
    return permission?.state === 'granted';
  }

  async open() {
    this.close();
    if (!this.possible) return this.#tell('refused', NO_WEB_MIDI);
    this.#tell('asking', 'Your browser will ask for the keyboard.');
    try {
      this.#access = await navigator.requestMIDIAccess({ sysex: false });
    } catch {
      return this.#tell('refused', 'The browser said no to the keyboard. Allow MIDI at the sign beside the address, then try again.');
    }
    this.#access.onstatechange = () => this.#listen();
    return this.#listen();
  }

  #listen() {
    this.#scope?.end();
    this.#scope = new Scope();
    for (const input of this.inputs) {
      input.onmidimessage = (event) => this.#heard(event);
      this.#scope.signal.addEventListener('abort', () => { input.onmidimessage = null; }, { once: true });
    }
    const names = this.inputs.map(({ name }) => name).join(', ');
    this.#tell('ready', names || 'No keyboard found. Plug one in; it appears here. Or tap drums with ⇧T, then A S D F G.');
  }

  #heard({ data, timeStamp }) {
    const key = keyOf(data);
    if (!key) return;
    if (key.on) {
      this.pressed.add(key.pitch);
      this.last = key;
    } else this.pressed.delete(key.pitch);
    this.dispatchEvent(new CustomEvent('key', { detail: { ...key, at: timeStamp || performance.now() } }));
  }

  close() {
    this.#scope?.end();
    if (this.#access) this.#access.onstatechange = null;
    this.#access = this.#scope = null;
    this.pressed.clear();
    this.#tell('off', '');
  }

  #tell(state, words) {
    Object.assign(this, { state, words });
    this.dispatchEvent(new CustomEvent('state'));
  }
}
