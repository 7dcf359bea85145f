/**
 * The lanes as sound: a small synth of oscillators and noise that plays chords, melody, drums and a click in
 * step with the player. It looks a little ahead of the player's clock, so seeking, looping and tempo changes
 * need no message. Times in seconds on the clip's clock. Knows no DOM.
 */

import { events, frequency } from '../music/score.js';
import { Scope } from '../parts/scope.js';

const AHEAD = 0.15; // seconds of notes that are scheduled before they sound
const TICK = 40; // milliseconds between looks
const JUMP = 0.5; // seconds; a larger step of the clock is a seek or a loop's return

export class Synth {
  on = false; // the lanes
  click = false;
  muted = new Set(); // lanes that are silent
  #until = 0; // position up to which events are scheduled
  #seen = Infinity; // the clock at the last look
  #voices = new Set();
  #noise = null;
  #out = null;

  /** `score` gives {doc, loop}: the lanes as they are, and what is looped. */
  constructor(player, score) {
    this.player = player;
    this.score = score;
    player.addEventListener('state', () => this.#follow());
  }

  #playing = null; // the looks of one playing

  #follow() {
    const { playing } = this.player;
    if (!playing) this.silence();
    if (playing === Boolean(this.#playing)) return;
    this.#playing?.end();
    this.#playing = playing ? new Scope() : null;
    this.#playing?.every(TICK, () => this.#look());
  }

  get lanes() {
    return new Set(this.on ? ['chords', 'melody', 'drums'].filter((name) => !this.muted.has(name)) : []);
  }

  /** The number of voices that sound or wait, for tests. */
  get voices() {
    return this.#voices.size;
  }

  silence() {
    for (const stop of this.#voices) stop();
    this.#voices.clear();
    this.#seen = Infinity; // the next look finds its place anew
  }

  /** One note or drum at once, as an answer to a gesture. */
  blip(event) {
    const { context } = this.player;
    context.resume();
    this.#sound({ length: 0.25, ...event }, context.currentTime + 0.005);
  }

  /** One click at a time of the context: what is counted in stands before anything that plays. */
  clickAt(at, accent) {
    this.#sound({ kind: 'click', accent }, at);
  }

  #look() {
    const { player } = this;
    if (!player.playing || !(this.on || this.click)) return;
    const position = player.position;
    const now = player.context.currentTime + player.waiting;
    const { doc, loop } = this.score();
    const jumped = position < this.#seen - 0.005 || position > this.#seen + JUMP;
    if (jumped) {
      this.silence();
      // The look comes up to a tick after a loop's return: what began with the loop is still due.
      this.#until = loop && position - loop.start < 2 * TICK / 1000 ? loop.start : position;
    }
    this.#seen = position;
    const from = this.#until;
    const to = Math.min(position + AHEAD, loop?.end ?? Infinity);
    if (to <= from) return;
    this.#until = to;
    for (const event of events(doc, from, to, { lanes: this.lanes, click: this.click })) this.#sound(event, now + event.at - position);
  }

  #output() {
    if (!this.#out) {
      const { context } = this.player;
      this.#out = new DynamicsCompressorNode(context, { threshold: -12, ratio: 6 });
      this.#out.connect(new GainNode(context, { gain: 0.7 })).connect(context.destination);
    }
    return this.#out;
  }

  #sound(event, at) {
    if (event.kind === 'drum') return this.#drum(event.drum, at);
    if (event.kind === 'click') return this.#tone(event.accent ? 1760 : 1320, at, 0.03, { type: 'square', level: 0.12 });
    const chord = event.kind === 'chord';
    for (const pitch of event.pitches) {
      this.#tone(frequency(pitch), at, Math.max(0.05, event.length - 0.02), chord ? { type: 'triangle', level: 0.09 } : { type: 'sawtooth', level: 0.14, cut: 2400 });
    }
    return undefined;
  }

  #tone(pitch, at, length, { type, level, cut = 0, fall = 0 }) {
    const { context } = this.player;
    const source = new OscillatorNode(context, { type, frequency: pitch });
    if (fall) {
      source.frequency.setValueAtTime(pitch, at);
      source.frequency.exponentialRampToValueAtTime(fall, at + length);
    }
    this.#play(source, at, length, level, cut && new BiquadFilterNode(context, { type: 'lowpass', frequency: cut }));
  }

  #drum(drum, at) {
    const { context } = this.player;
    const noise = (length, level, type, cut) => {
      const source = new AudioBufferSourceNode(context, { buffer: this.#noiseBuffer() });
      this.#play(source, at, length, level, new BiquadFilterNode(context, { type, frequency: cut }), true);
    };
    if (drum === 'kick') this.#tone(150, at, 0.22, { type: 'sine', level: 0.7, fall: 45 });
    else if (drum === 'tom') this.#tone(220, at, 0.25, { type: 'sine', level: 0.4, fall: 90 });
    else if (drum === 'snare') {
      noise(0.16, 0.35, 'highpass', 1200);
      this.#tone(190, at, 0.09, { type: 'triangle', level: 0.25 });
    } else if (drum === 'hat') noise(0.05, 0.22, 'highpass', 7000);
    else noise(0.7, 0.2, 'highpass', 4500);
  }

  /** A source through a filter and an envelope: 4 ms up, then falling to nothing at its end. */
  #play(source, at, length, level, filter, falling = false) {
    const { context } = this.player;
    const begin = Math.max(at, context.currentTime);
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(level, begin + 0.004);
    if (falling) gain.gain.exponentialRampToValueAtTime(level / 200, begin + length);
    else gain.gain.setTargetAtTime(level * 0.6, begin + 0.01, 0.15);
    gain.gain.setTargetAtTime(0, begin + length, 0.02);
    if (filter) source.connect(filter).connect(gain);
    else source.connect(gain);
    gain.connect(this.#output());
    source.start(begin);
    source.stop(begin + length + 0.15);
    const stop = () => {
      gain.gain.cancelScheduledValues(context.currentTime);
      gain.gain.setTargetAtTime(0, context.currentTime, 0.01);
      source.stop(context.currentTime + 0.06);
    };
    this.#voices.add(stop);
    source.addEventListener('ended', () => {
      this.#voices.delete(stop);
      gain.disconnect();
    });
  }

  #noiseBuffer() {
    if (!this.#noise) {
      const { context } = this.player;
      this.#noise = context.createBuffer(1, context.sampleRate, context.sampleRate);
      const data = this.#noise.getChannelData(0);
      let seed = 1;
      for (let i = 0; i < data.length; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        data[i] = seed / 2147483648;
      }
    }
    return this.#noise;
  }
}
