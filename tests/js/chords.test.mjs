import test from 'node:test';
import assert from 'node:assert/strict';
import * as chords from '../../assets/page/music/chords.js';

test('the triads of a key', () => {
  assert.deepEqual(chords.inKey('C major').map(({ symbol }) => symbol), ['C', 'Dm', 'Em', 'F', 'G', 'Am', 'Bdim']);
  assert.deepEqual(chords.inKey('A minor').map(({ symbol }) => symbol), ['Am', 'Bdim', 'C', 'Dm', 'Em', 'F', 'G']);
  assert.deepEqual(chords.inKey('Eb major').map(({ symbol }) => symbol), ['Eb', 'Fm', 'Gm', 'Ab', 'Bb', 'Cm', 'Ddim']);
  assert.equal(chords.KEYS.length, 24);
});

test('roman numerals', () => {
  assert.equal(chords.roman('G7', 'C major'), 'V⁷');
  assert.equal(chords.roman('Am7', 'C major'), 'vi⁷');
  assert.equal(chords.roman('Bdim', 'C major'), 'vii°');
  assert.equal(chords.roman('G/B', 'C major'), 'V⁶');
  assert.equal(chords.roman('C/G', 'C major'), 'I⁶₄');
  assert.equal(chords.roman('Ab', 'C major'), '♭VI');
  assert.equal(chords.roman('Cmaj7', 'C major'), 'IΔ');
  assert.equal(chords.roman('N', 'C major'), '');
});

test('enharmonic roots are one root', () => {
  assert.equal(chords.split('Db').root, chords.split('C#').root);
  assert.deepEqual(chords.split('F#m7b5/A'), { root: 6, quality: 'm7b5', bass: 9 });
  assert.equal(chords.split('H7'), null);
});

test('more on a root: its other chords, inversions last', () => {
  const more = chords.moreOn('C', ['N', 'C', 'C/E', 'C7', 'Cm', 'D', 'Caug']);
  assert.deepEqual(more, ['Cm', 'C7', 'Caug', 'C/E']);
});

test('narrow cells drop the quality, then the whole symbol', () => {
  assert.equal(chords.fitSymbol('F#m7b5', 80), 'F#m7b5');
  assert.equal(chords.fitSymbol('F#m7b5', 30), 'F#m');
  assert.equal(chords.fitSymbol('F#m7b5', 8), '');
});

test('all chords by root hold the whole vocabulary but "unknown"', () => {
  const vocabulary = ['N', 'C', 'Cm', 'C#', 'Db', 'UNK'];
  assert.deepEqual(chords.byRoot(vocabulary).flatMap(({ symbols }) => symbols).sort(), ['C', 'C#', 'Cm', 'Db', 'N']);
});

test('a scale and its degrees', () => {
  assert.deepEqual([...chords.scaleOf('G major')].sort((a, b) => a - b), [0, 2, 4, 6, 7, 9, 11]);
  assert.deepEqual(chords.scaleOf('A minor'), new Set([9, 11, 0, 2, 4, 5, 7]));
  assert.equal(chords.fromRoman('bVII', 'D major'), 'C');
  assert.equal(chords.fromRoman('iim7b5', 'C minor'), 'Dm7b5');
});

test('transposing a symbol moves root and bass, spelt as in the key', () => {
  assert.equal(chords.transposedSymbol('F#m7b5/A', 1, 'F major'), 'Gm7b5/Bb');
  assert.equal(chords.transposedSymbol('C', -1, 'E major'), 'B');
  assert.equal(chords.transposedSymbol('N', 3, 'C major'), 'N');
});

test('typing completes: plain ones first, enharmonic roots are one', () => {
  const vocabulary = ['N', 'C#', 'C#m', 'C#maj7', 'C#m7b5', 'C#/E#', 'C', 'Cm7', 'UNK'];
  assert.deepEqual(chords.complete('Db', vocabulary), ['C#', 'C#m', 'C#maj7', 'C#m7b5', 'C#/E#']);
  assert.deepEqual(chords.complete('c#m7', vocabulary), ['C#m7b5']);
  assert.deepEqual(chords.complete('CM7', vocabulary), []);
  assert.deepEqual(chords.complete('H', vocabulary), []);
});

test('a chord can be heard: its bass below, its tones around middle C', () => {
  assert.deepEqual(chords.pitchesOf('C').map((pitch) => pitch % 12), [0, 7, 0, 4]);
  assert.equal(chords.pitchesOf('Bb/D')[0] % 12, 2);
  assert.deepEqual(chords.pitchesOf('N'), []);
});
