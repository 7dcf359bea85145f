import test from 'node:test';
import assert from 'node:assert/strict';
import * as notes from '../../assets/page/music/notes.js';

const note = (start, end, pitch, id = `n${start}`) => ({ id, start, end, pitch });

test('pitch names', () => {
  assert.equal(notes.pitchName(60), 'C4');
  assert.equal(notes.pitchName(notes.LOW), 'G2');
  assert.equal(notes.pitchName(notes.HIGH), 'B6');
});

test('transposition stops at the range that the models know', () => {
  const line = [note(0, 1, 60), note(1, 2, 90)];
  assert.deepEqual(notes.transposed(line, 5).map(({ pitch }) => pitch), [65, 95]);
  assert.equal(notes.transposed(line, 6), line);
  assert.equal(notes.pitchWithin(line, 12), 5);
  assert.equal(notes.pitchWithin(line, -40), -17);
});

test('moving into a key takes the nearest pitch', () => {
  const line = [60, 61, 66, 70].map((pitch, i) => note(i, i + 1, pitch));
  assert.deepEqual(notes.toKey(line, 'C major').map(({ pitch }) => pitch), [60, 60, 65, 69]);
  assert.deepEqual(notes.toKey(line, 'Bb minor').map(({ pitch }) => pitch), [60, 61, 66, 70]);
});

test('what the lane says of its fit', () => {
  assert.equal(notes.fitWords([], 'C major'), 'None yet');
  assert.equal(notes.fitWords([note(0, 1, 60)], 'C major'), 'Fits C major');
  assert.equal(notes.fitWords([note(0, 1, 60), note(1, 2, 61)], 'C major'), '1 of 2 outside C major');
});

test('drawing begins at the first note in sight', () => {
  const line = Array.from({ length: 1000 }, (_, i) => note(i, i + 0.5, 60));
  assert.equal(notes.firstAfter(line, 499.2), 499);
  assert.equal(notes.firstAfter(line, 499.7), 500);
  assert.equal(notes.firstAfter(line, 5000), 1000);
});

test('agreement per bar is the share of drawn time that was heard again', () => {
  const drawn = [note(0, 4, 60), note(4, 6, 62), note(6, 8, 64)];
  const heard = [note(0, 2, 60), note(2, 4, 61), note(4, 8, 62)];
  assert.deepEqual([...notes.agreement(drawn, heard, 4)], [[0, 0.5], [1, 0.5]]);
});
