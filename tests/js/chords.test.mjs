import test from 'node:test';
import assert from 'node:assert/strict';
import * as chords from '../../assets/timeline/chords.js';

const cell = (id, start, end, symbol = 'C') => ({ id, start, end, symbol });

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

test('a new cell cuts what it covers', () => {
  const cells = [cell('a', 0, 4), cell('b', 4, 8), cell('c', 8, 12)];
  assert.deepEqual(chords.cover(cells, cell('n', 3, 9)), [cell('a', 0, 3), cell('n', 3, 9), cell('c', 9, 12)]);
  assert.deepEqual(chords.cover([cell('a', 0, 8)], cell('n', 2, 4)), [cell('a', 0, 2), cell('n', 2, 4), cell('ab', 4, 8)]);
  assert.deepEqual(chords.cover(cells, cell('b', 5, 6)).map(({ id }) => id), ['a', 'b', 'c']); // itself is no obstacle
});

test('moving and resizing stay on the timeline and keep a length', () => {
  assert.deepEqual(chords.moved(cell('a', 4, 8), -9, 16), cell('a', 0, 4));
  assert.deepEqual(chords.moved(cell('a', 4, 8), 99, 16), cell('a', 12, 16));
  assert.deepEqual(chords.resized(cell('a', 4, 8), 'start', 7.9, 1, 16), cell('a', 7, 8));
  assert.deepEqual(chords.resized(cell('a', 4, 8), 'end', 99, 1, 16), cell('a', 4, 16));
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
