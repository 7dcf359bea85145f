import test from 'node:test';
import assert from 'node:assert/strict';
import { PROGRESSIONS, progressionCells, progressionsIn } from '../../assets/page/music/progressions.js';
import { split } from '../../assets/page/music/chords.js';

test('degrees become chords of the key', () => {
  const named = (key, name) => progressionsIn(key).find((p) => p.name === name).symbols.join(' ');
  assert.equal(named('C major', 'Pop'), 'C G Am F');
  assert.equal(named('Eb major', 'Jazz cadence'), 'Fm7 Bb7 Ebmaj7 Ebmaj7');
  assert.equal(named('G major', 'Mixolydian'), 'G F C G');
  assert.equal(named('A minor', 'Andalusian cadence'), 'Am G F E');
  assert.equal(named('A minor', 'Minor cadence'), 'Bm7b5 E7 Am7 Am7');
});

test('every progression can be read in every key', () => {
  for (const key of ['C major', 'F# major', 'Db major', 'C minor', 'G# minor', 'Bb minor']) {
    for (const { symbols } of progressionsIn(key)) for (const symbol of symbols) assert.ok(split(symbol), symbol);
  }
  assert.equal(new Set(PROGRESSIONS.map(({ name, mode }) => name + mode)).size, PROGRESSIONS.length);
});

test('a bar each, from the top again, cut at the end', () => {
  const cells = progressionCells(['C', 'F'], 2, 11, 4);
  assert.deepEqual(cells.map(({ start, end, symbol }) => [start, end, symbol]), [[2, 4, 'C'], [4, 8, 'F'], [8, 11, 'C']]);
});
