/**
 * What the microphone gives, in the audio thread: its samples as they come, with the frame of the context's clock at
 * which each block begins. Loaded by `microphone.js` with `addModule`; knows nothing else.
 */

const BLOCK = 2048; // frames that are sent at once

class Capture extends AudioWorkletProcessor {
  #blocks = [];
  #frames = 0;
  #at = 0;

  process([input]) {
    if (!input.length) return true; // nothing is connected yet
    if (!this.#frames) this.#at = currentFrame;
    this.#blocks.push(input.map((channel) => channel.slice()));
    this.#frames += input[0].length;
    if (this.#frames >= BLOCK) this.#send();
    return true;
  }

  #send() {
    const count = Math.min(...this.#blocks.map((block) => block.length));
    const channels = Array.from({ length: count }, (_, channel) => {
      const whole = new Float32Array(this.#frames);
      let at = 0;
      for (const block of this.#blocks) {
        whole.set(block[channel], at);
        at += block[channel].length;
      }
      return whole;
    });
    this.port.postMessage({ at: this.#at, channels }, channels.map(({ buffer }) => buffer));
    [this.#blocks, this.#frames] = [[], 0];
  }
}

registerProcessor('inlay-capture', Capture);
