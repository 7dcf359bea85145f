/** What is said about takes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { countWords, seamSentences, takeLabel, takeName } from '../../assets/timeline/take-words.js';

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
  assert.equal(takeLabel({ ...track, name: 'The one', kept: true, starred: true }), 'Take 3, AR, The one, kept, starred');
});

test('counts leave out what there is none of', () => {
  const tracks = ['ready', 'ready', 'running', 'failed'].map((state) => ({ kind: 'take', state }));
  assert.equal(countWords([{ kind: 'original', state: 'ready' }, ...tracks]), '2 ready, 1 running, 1 failed');
});
