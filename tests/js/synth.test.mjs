/** The lanes as sound: on the clock of what plays, over a loop's return, and beside a count-in. */

import assert from 'node:assert/strict';
import test, { afterEach, beforeEach, mock } from 'node:test';
import { Synth } from '../../assets/page/sound/synth.js';

const sounds = []; // {pitch, at, ends}, as they were scheduled
class Parameter {
  setValueAtTime() {}
  linearRampToValueAtTime() {}
  exponentialRampToValueAtTime() {}
  setTargetAtTime() {}
  cancelScheduledValues() {}
}
class Part {
  gain = new Parameter();
  connect(next) { return next; }
  disconnect() {}
}
class Oscillator extends Part {
  constructor(_, { frequency }) {
    super();
    this.one = { pitch: Math.round(69 + 12 * Math.log2(frequency / 440)), at: 0, ends: Infinity };
  }
  start(at) { sounds.push(Object.assign(this.one, { at })); }
  stop(at) { this.one.ends = at; }
  addEventListener() {}
}
Object.assign(globalThis, { OscillatorNode: Oscillator, GainNode: Part, BiquadFilterNode: Part, DynamicsCompressorNode: Part });

/** A player whose clock a test moves. */
class Clock extends EventTarget {
  context = { currentTime: 0, destination: new Part() };
  playing = false;
  position = 0;
  waiting = 0;
  duration = 60;
  play(position, waiting = 0) {
    Object.assign(this, { playing: true, position, waiting });
    this.dispatchEvent(new Event('state'));
  }
  /** Goes on by steps of 20 ms; in a loop it returns. */
  go(seconds, loop = null) {
    for (let i = 0; i < Math.round(seconds / 0.02); i += 1) {
      this.context.currentTime += 0.02;
      if (this.waiting > 0) this.waiting = Math.max(0, this.waiting - 0.02);
      else this.position += 0.02;
      if (loop && this.position >= loop.end) this.position -= loop.end - loop.start;
      mock.timers.tick(20);
    }
  }
}

const GRID = { bpm: 120, beats_per_bar: 4, offset: 0 };
const note = (start, end, pitch) => ({ id: `n${start}`, start, end, pitch });
const at = (pitch) => sounds.filter((one) => one.pitch === pitch).map((one) => Math.round(1000 * one.at) / 1000);

function synth(melody, loop = null) {
  const clock = new Clock();
  const made = new Synth(clock, () => ({ doc: { grid: GRID, melody, chords: [], drums: [] }, loop }));
  made.on = true;
  return { clock, made };
}

beforeEach(() => { sounds.length = 0; mock.timers.enable({ apis: ['setInterval'] }); });
afterEach(() => mock.timers.reset());

test('the first note of a loop sounds on its beat in every repeat', () => {
  const loop = { start: 1, end: 2.02 }; // it returns between two looks
  const { clock } = synth([note(2, 3, 60), note(3, 4, 64)], loop);
  clock.play(1);
  clock.go(3.5, loop);
  assert.deepEqual(at(60).slice(1), [1.02, 2.04, 3.06]); // the very first look is a tick late
  assert.deepEqual(at(64), [0.5, 1.52, 2.54, 3.56]);
});

test('a note that is held over a loop\'s borders sounds within them', () => {
  const loop = { start: 1, end: 2 };
  const { clock } = synth([note(0, 16, 60)], loop);
  clock.play(1);
  clock.go(2.5, loop);
  assert.deepEqual(at(60).slice(1), [1, 2]);
  for (const { at: begins, ends } of sounds.slice(1)) assert.ok(ends <= begins + 1.2); // and not on over the next repeat
});

test('a loop that is let go of takes back what it had ahead', () => {
  const loop = { start: 1, end: 2 };
  const melody = [note(2, 3, 60), note(4, 5, 67)];
  const clock = new Clock();
  let now = loop;
  const made = new Synth(clock, () => ({ doc: { grid: GRID, melody, chords: [], drums: [] }, loop: now }));
  made.on = true;
  clock.play(1);
  clock.go(0.94, loop);
  const [, again] = sounds.filter(({ pitch }) => pitch === 60);
  assert.ok(again && again.ends > again.at); // of the repeat, on its way
  now = null;
  clock.go(0.2);
  assert.ok(again.ends < again.at + 0.1);
  assert.equal(at(67).length, 1); // what follows the loop comes instead
});

test('clicks that are counted in sound beside a player that waits', () => {
  const { clock, made } = synth([]);
  made.click = true;
  for (const beat of [0.5, 1, 1.5, 2]) made.clickAt(beat, false);
  const counted = sounds.slice();
  clock.play(4, 2.5);
  clock.go(1);
  assert.ok(counted.every(({ at: begins, ends }) => ends > begins + 0.1));
  made.silence(); // recording was given up
  assert.ok(counted.slice(2).every(({ ends }) => ends <= 1.1));
});
