/**
 * The lanes as sound: a small synth of oscillators and noise that plays chords, melody, drums and a click in
 * step with the player. It looks a little ahead of the player's clock, so seeking, looping and tempo changes
 * need no message. Times in seconds on the clip's clock. Knows no DOM.
 */

import { events, frequency, held } from '../music/score.js';
import { Scope } from '../parts/scope.js';

const AHEAD = 0.15; // seconds of notes that are scheduled before they sound
const TICK = 40; // milliseconds between looks
const JUMP = 0.5; // seconds; a larger step of the clock is a seek or a loop's return

export class Synth {
  on = false; // the lanes
  click = false;
  muted = new Set(); // lanes that are silent
  #until = 0; // position up to which events are scheduled
  #again = null; // and that in a loop's next repeat, null while none of it is
  #looped = ''; // the loop for which that is
  #seen = Infinity; // the clock at the last look
  #voices = new Set(); // of what plays
  #counted = new Set(); // of clicks at times of the context
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
    if (!playing) this.#hush();
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
    return this.#voices.size + this.#counted.size;
  }

  silence() {
    this.#hush();
    for (const stop of this.#counted) stop();
    this.#counted.clear();
  }

  /** What plays goes; what is counted goes on. */
  #hush() {
    for (const stop of this.#voices) stop();
    this.#voices.clear();
    this.#again = null;
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
    this.#sound({ kind: 'click', accent }, at, this.#counted);
  }

  #look() {
    const { player } = this;
    if (!player.playing || !(this.on || this.click)) return;
    const position = player.position;
    const now = player.context.currentTime + player.waiting;
    const { doc, loop } = this.score();
    const { begin, end } = this.#bounds(position, loop);
    const fresh = this.#jumped(position);
    const from = fresh ? position : this.#until;
    this.#until = Math.max(from, Math.min(position + AHEAD, end));
    this.#fill(doc, { from, to: this.#until, fresh, clock: now - position, end });
    // A repeat sounds from its first moment on, so it is scheduled before the clock returns.
    const beyond = Math.min(position + AHEAD, 2 * end - begin) - end;
    if (beyond <= 0) return;
    this.#fill(doc, { from: this.#again ?? begin, to: begin + beyond, fresh: this.#again === null, clock: now - position + end - begin, end });
    this.#again = begin + beyond;
  }

  /** Where what plays ends, and where it begins again: there, too, where it does not. */
  #bounds(position, loop) {
    const end = Math.min(loop?.end ?? Infinity, this.player.duration);
    const begin = loop && position < end ? loop.start : end;
    if (this.#again !== null && this.#looped !== `${begin} ${end}`) this.#hush(); // what is ahead is not to come
    this.#looped = `${begin} ${end}`;
    return { begin, end };
  }

  /** Whether the clock stands where nothing is scheduled; a loop's return is no jump. */
  #jumped(position) {
    const back = position < this.#seen - 0.005;
    const returned = back && this.#again !== null && position < this.#again + JUMP;
    const jumped = !returned && (back || position > this.#seen + JUMP);
    if (jumped) this.#hush();
    if (returned) this.#until = this.#again;
    if (returned) this.#again = null;
    this.#seen = position;
    return jumped;
  }

  /** Schedules what begins in [from, to), cut off at `end`; afresh with what sounds there already. `clock`: of second 0. */
  #fill(doc, { from, to, fresh, clock, end }) {
    const what = { lanes: this.lanes, click: this.click };
    const due = [...(fresh ? held(doc, from, what) : []), ...(to > from ? events(doc, from, to, what) : [])];
    for (const event of due) this.#sound({ ...event, length: Math.min(event.length ?? 0, end - event.at) }, clock + event.at);
  }

  #output() {
    if (!this.#out) {
      const { context } = this.player;
      this.#out = new DynamicsCompressorNode(context, { threshold: -12, ratio: 6 });
      this.#out.connect(new GainNode(context, { gain: 0.7 })).connect(context.destination);
    }
    return this.#out;
  }

  #sound(event, at, voices = this.#voices) {
    if (event.kind === 'drum') return this.#drum(event.drum, at);
    if (event.kind === 'click') return this.#tone(event.accent ? 1760 : 1320, at, 0.03, { type: 'square', level: 0.12, voices });
    const chord = event.kind === 'chord';
    for (const pitch of event.pitches) {
      this.#tone(frequency(pitch), at, Math.max(0.05, event.length - 0.02), chord ? { type: 'triangle', level: 0.09 } : { type: 'sawtooth', level: 0.14, cut: 2400 });
    }
    return undefined;
  }

  #tone(pitch, at, length, { type, level, cut = 0, fall = 0, voices = this.#voices }) {
    const { context } = this.player;
    const source = new OscillatorNode(context, { type, frequency: pitch });
    if (fall) {
      source.frequency.setValueAtTime(pitch, at);
      source.frequency.exponentialRampToValueAtTime(fall, at + length);
    }
    this.#play(source, at, length, level, { filter: cut && new BiquadFilterNode(context, { type: 'lowpass', frequency: cut }), voices });
  }

  #drum(drum, at) {
    const { context } = this.player;
    const noise = (length, level, type, cut) => {
      const source = new AudioBufferSourceNode(context, { buffer: this.#noiseBuffer() });
      this.#play(source, at, length, level, { filter: new BiquadFilterNode(context, { type, frequency: cut }), falling: true });
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
  #play(source, at, length, level, { filter, falling = false, voices = this.#voices }) {
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
    voices.add(stop);
    source.addEventListener('ended', () => {
      voices.delete(stop);
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
