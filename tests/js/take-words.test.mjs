/** What is said about takes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { withEngines } from './shared.mjs';
import { chordsAgree, countWords, seamSentences, takeLabel, takeName } from '../../assets/page/takes/take-words.js';

withEngines();

const seam = (time, words, score = 0.1) => ({ time, words, score, jump: 4, level: 1, brightness: 0, click: 1 });

test('both ends clean is one sentence', () => {
  assert.deepEqual(seamSentences([seam(6, 'Smooth'), seam(9.5, 'Smooth')]).map(({ words, rough }) => [words, rough]), [['Smooth at both ends', false]]);
  assert.equal(seamSentences([seam(6, 'Smooth')])[0].words, 'Smooth at 6 s');
  assert.deepEqual(seamSentences([]), []);
});

test('what can be heard is told worst first, with its time and figures', () => {
  const told = seamSentences([seam(6, '3 dB louder', 0.7), seam(9.5, 'Click', 0.9)]);
  assert.deepEqual(told.map(({ words }) => words), ['Click at 9.5 s', '3 dB louder at 6 s']);
  assert.match(told[0].title, /jump 4.0 dB.*90 % of this recording/);
});

test('a take is called by its own name, else by its seed', () => {
  const track = { digit: 3, kind: 'take', engine: 'ar', seed: 7, name: '', state: 'running', kept: false };
  assert.equal(takeName(track), 'seed 7');
  assert.equal(takeLabel(track), 'Take 3, AR, running');
  assert.equal(takeName({ ...track, part: 'with drums', model: 'some-model' }), 'with drums');
  assert.equal(takeLabel({ ...track, part: 'with drums' }), 'Take 3, AR, with drums, running');
  assert.equal(takeLabel({ ...track, name: 'The one', kept: true, starred: true }), 'Take 3, AR, The one, kept, starred');
});

test('counts leave out what there is none of', () => {
  const tracks = ['ready', 'ready', 'running', 'failed'].map((state) => ({ kind: 'take', state }));
  assert.equal(countWords([{ kind: 'original', state: 'ready' }, ...tracks]), '2 ready, 1 running, 1 failed');
});

test('chords agree by the time that they last inside the span', () => {
  const grid = { bpm: 120, beats_per_bar: 4, offset: 0 }; // a beat is half a second
  const chords = [{ start: 0, end: 4, symbol: 'C' }, { start: 4, end: 8, symbol: 'Am' }, { start: 20, end: 24, symbol: 'F' }];
  const track = { region: { start: 1, end: 3 }, seconds: 10 };
  const share = { C: 1, Am: 0.5, F: null };
  const { share: whole, cells } = chordsAgree(track, chords, grid, (cell) => share[cell.symbol]);
  assert.deepEqual(cells.map(({ symbol, from, to }) => [symbol, from, to]), [['C', 1, 2], ['Am', 2, 3]]);
  assert.equal(whole, 0.75);
  assert.equal(chordsAgree(track, [], grid, () => 1), null);
  assert.equal(chordsAgree({ ...track, region: { start: 6, end: 7 } }, chords, grid, () => 1), null);
});
