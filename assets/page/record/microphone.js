/**
 * The microphone: its samples with their place on the context's clock, as the browser gives them without echo
 * cancelling, noise gate or gain control; how loud it is; and in words why there is none. Times in seconds.
 */

import { keep, kept } from '../parts/kept.js';
import { Scope } from '../parts/scope.js';
import { latencyOf, peakOf } from './level.js';
import { joined } from './wav.js';

const WORKLET = new URL('./capture-worklet.js', import.meta.url).href;
const LATENCIES = 'inlay-latencies'; // of microphones that were measured: {id: seconds}
const PATIENCE = 1000; // ms that the last samples may be on their way
const FALL = 24; // dB a second that the meter falls by
const REFUSED = {
  NotAllowedError: 'The browser said no to the microphone. Allow it at the sign beside the address, then try again.',
  NotFoundError: 'No microphone found. Plug one in; it appears here.',
  NotReadableError: 'The microphone does not answer: another program may have it. Close it there, then try again.',
  OverconstrainedError: 'That microphone is gone. Choose another one.',
};

/** The frame after the last that blocks hold; 0 where there are none. */
function lastOf(blocks) {
  const last = blocks.at(-1);
  return last ? last.at + last.channels[0].length : 0;
}

/** Why there can be no microphone at all, in words; "" where there can. */
export function impossible({ secure, devices, worklet }) {
  if (!secure) return 'Recording needs https or 127.0.0.1.';
  if (!devices) return 'This browser gives pages no microphone.';
  return worklet ? '' : 'This browser cannot record: it has no AudioWorklet.';
}

export class Microphone extends EventTarget {
  state = 'off'; // "off" | "asking" | "ready" | "refused"
  words = '';
  level = -60; // dB, as the meter shows it
  peak = -60; // dB, the loudest since recording began
  devices = []; // [{id, name}]
  device = ''; // id of the one that is heard
  latency = { seconds: 0, known: false };
  #scope = null;
  #stream = null;
  #nodes = [];
  #blocks = null; // what is being recorded, null = nothing

  /** Asks for a microphone, or for another one. */
  async open(context, device = '') {
    this.close();
    const never = impossible({ secure: window.isSecureContext, devices: Boolean(navigator.mediaDevices?.getUserMedia), worklet: Boolean(context.audioWorklet) });
    if (never) return this.#tell('refused', never);
    const scope = (this.#scope = new Scope());
    this.#tell('asking', 'Your browser will ask for the microphone.');
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...raw, ...(device && { deviceId: { exact: device } }) } });
      if (scope !== this.#scope) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      await context.audioWorklet.addModule(WORKLET);
      if (scope !== this.#scope) return undefined;
      this.#connect(context, stream);
      this.#tell('ready', '');
      return this.#list(scope); // recording waits for no list: a system's sound service may take its time over it
    } catch (error) {
      if (scope !== this.#scope) return undefined;
      // One that is plugged in later is found by itself.
      if (error.name === 'NotFoundError') scope.listen(navigator.mediaDevices, 'devicechange', () => this.open(context));
      return this.#tell('refused', REFUSED[error.name] ?? `The microphone does not answer (${error.message || error.name}). Try again.`);
    }
  }

  /** Which microphones there are. */
  async #list(scope) {
    const all = await navigator.mediaDevices.enumerateDevices();
    if (scope !== this.#scope) return;
    const inputs = all.filter(({ kind }) => kind === 'audioinput');
    this.devices = inputs.map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Microphone ${i + 1}` }));
    this.#tell(this.state, this.words);
  }

  #connect(context, stream) {
    const source = context.createMediaStreamSource(stream);
    const capture = new AudioWorkletNode(context, 'inlay-capture', { numberOfOutputs: 1 });
    const silent = new GainNode(context, { gain: 0 });
    source.connect(capture).connect(silent).connect(context.destination); // a node that leads nowhere is not run
    capture.port.onmessage = ({ data }) => this.#heard(data, context.sampleRate);
    this.#nodes = [source, capture, silent];
    const [track] = stream.getAudioTracks();
    this.device = track.getSettings().deviceId ?? '';
    const known = kept(LATENCIES)[this.device];
    this.latency = known === undefined ? latencyOf(track.getSettings(), context) : { seconds: known, known: true };
    this.#scope.listen(track, 'ended', () => {
      this.#tell('refused', 'The microphone is gone. Plug it in, then try again.');
      this.dispatchEvent(new CustomEvent('lost'));
    });
  }

  /** Takes a measured latency for that of this microphone, now and later. */
  learn(seconds) {
    this.latency = { seconds, known: true };
    keep(LATENCIES, { ...kept(LATENCIES), [this.device]: seconds });
    this.#tell(this.state, this.words);
  }

  #heard(block, rate) {
    const top = Math.max(...block.channels.map(peakOf));
    this.level = Math.max(top, this.level - (FALL * block.channels[0].length) / rate);
    this.peak = Math.max(this.peak, top);
    this.#blocks?.push(block);
    this.dispatchEvent(new CustomEvent('heard', { detail: { block, top } }));
  }

  /** From now on samples are kept. */
  begin() {
    this.#blocks = [];
    this.peak = -60;
  }

  /** Keeps no more, and nothing of what was kept. */
  end() {
    this.#blocks = null;
  }

  /**
   * The kept samples between two times of the context, one Float32Array a channel; keeps no more. The last ones are
   * still on their way when they are asked for (a page that is busy hears late): they are waited for, a second at most.
   */
  async finish(rate, from, to) {
    const blocks = this.#blocks;
    if (!blocks) return joined([], 0, 0); // only a keyboard was heard
    const reached = () => this.#blocks !== blocks || lastOf(blocks) >= Math.round(to * rate);
    if (!reached()) {
      await new Promise((resolve) => {
        const scope = new Scope();
        const done = () => {
          scope.end();
          resolve();
        };
        scope.listen(this, ['heard', 'state'], () => (reached() || this.state !== 'ready') && done());
        scope.later(PATIENCE, done);
      });
    }
    if (this.#blocks === blocks) this.#blocks = null;
    return joined(blocks, Math.round(from * rate), Math.min(Math.round(to * rate), lastOf(blocks)));
  }

  /** The samples that were kept so far between two times. */
  taken(rate, from, to) {
    const blocks = this.#blocks ?? [];
    return joined(blocks, Math.round(from * rate), Math.min(Math.round(to * rate), lastOf(blocks)));
  }

  close() {
    this.#scope?.end();
    this.#scope = null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    for (const node of this.#nodes) node.disconnect();
    [this.#stream, this.#nodes, this.#blocks] = [null, [], null];
    this.#tell('off', '');
  }

  #tell(state, words) {
    Object.assign(this, { state, words });
    this.dispatchEvent(new CustomEvent('state'));
  }
}
