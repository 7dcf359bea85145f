import test from 'node:test';
import assert from 'node:assert/strict';
import { events, frequency } from '../../assets/page/music/score.js';
import { tappedTempo, tapsInTime } from '../../assets/page/music/tempo.js';

const doc = {
  grid: { bpm: 120, beats_per_bar: 4, offset: 1 },
  chords: [{ id: 'c', start: 0, end: 4, symbol: 'G/B' }],
  melody: [{ id: 'n', start: 1, end: 2, pitch: 72 }],
  drums: [{ id: 'h', time: 3, drum: 'snare' }],
};
const all = { lanes: new Set(['chords', 'melody', 'drums']), click: false };

test('lanes sound at the seconds of their beats', () => {
  const heard = events(doc, 0, 10, all);
  assert.deepEqual(heard.map(({ at, kind }) => [at, kind]), [[1, 'chord'], [1.5, 'note'], [2.5, 'drum']]);
  assert.equal(heard[0].length, 2);
  assert.deepEqual(heard[0].pitches.map((pitch) => pitch % 12).sort((a, b) => a - b), [2, 7, 11, 11]); // G B D over B
  assert.ok(heard[0].pitches[0] < Math.min(...heard[0].pitches.slice(1))); // the bass lies lowest
});

test('each event is in exactly one of two looks that meet', () => {
  const [first, second] = [events(doc, 0, 1.5, all), events(doc, 1.5, 3, all)];
  assert.deepEqual([first.length, second.length], [1, 2]);
});

test('a silent lane is not heard, a click is accented on bars', () => {
  assert.equal(events(doc, 0, 10, { lanes: new Set(['drums']), click: false }).length, 1);
  const clicks = events(doc, 0, 3.2, { lanes: new Set(), click: true });
  assert.deepEqual(clicks.map(({ at, accent }) => [at, accent]), [[0, false], [0.5, false], [1, true], [1.5, false], [2, false], [2.5, false], [3, true]]);
});

test('pitches in hertz', () => {
  assert.equal(frequency(69), 440);
  assert.ok(Math.abs(frequency(60) - 261.626) < 0.001);
});

test('taps give a tempo from the third on', () => {
  assert.equal(tappedTempo([0, 0.5]), null);
  assert.equal(tappedTempo([0, 0.5, 1]), 120);
  assert.equal(tappedTempo([0, 0.49, 1.01, 1.5]), 120);
  assert.equal(tappedTempo([0, 0.66, 1.32, 1.98]), 91);
});

test('a pause begins anew, and old taps stop counting', () => {
  assert.deepEqual(tapsInTime([0, 1, 9, 9.5]), [9, 9.5]);
  assert.equal(tapsInTime(Array.from({ length: 20 }, (_, i) => i)).length, 8);
});
