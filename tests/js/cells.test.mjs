import test from 'node:test';
import assert from 'node:assert/strict';
import * as cells from '../../assets/page/music/cells.js';

const cell = (id, start, end, symbol = 'C') => ({ id, start, end, symbol });
const hit = (id, time, drum = 'kick') => ({ id, time, drum });

test('a new cell cuts what it covers', () => {
  const lane = [cell('a', 0, 4), cell('b', 4, 8), cell('c', 8, 12)];
  assert.deepEqual(cells.cover(lane, cell('n', 3, 9)), [cell('a', 0, 3), cell('n', 3, 9), cell('c', 9, 12)]);
  assert.deepEqual(cells.cover([cell('a', 0, 8)], cell('n', 2, 4)), [cell('a', 0, 2), cell('n', 2, 4), cell('ab', 4, 8)]);
  assert.deepEqual(cells.cover(lane, cell('b', 5, 6)).map(({ id }) => id), ['a', 'b', 'c']); // itself is no obstacle
});

test('moving and resizing stay on the timeline and keep a length', () => {
  assert.deepEqual(cells.moved(cell('a', 4, 8), -9, 16), cell('a', 0, 4));
  assert.deepEqual(cells.moved(cell('a', 4, 8), 99, 16), cell('a', 12, 16));
  assert.deepEqual(cells.moved(cell('a', 0, 4), -9, 16, -1.5), cell('a', -1.5, 2.5)); // beat 1 comes later than the clip
  assert.deepEqual(cells.resized(cell('a', 4, 8), 'start', 7.9, 1, 16), cell('a', 7, 8));
  assert.deepEqual(cells.resized(cell('a', 4, 8), 'end', 99, 1, 16), cell('a', 4, 16));
});

test('a group moves as one and stops as one', () => {
  const group = [cell('a', 2, 4), cell('b', 8, 10)];
  assert.equal(cells.within(group, -5, 16), -2);
  assert.equal(cells.within(group, 9, 16), 6);
  assert.equal(cells.within([hit('h', 3)], -1, 16), -1);
});

test('putting objects on a lane: known ones move, others are cut, equal hits are one', () => {
  const lane = [cell('a', 0, 2), cell('b', 2, 4), cell('c', 4, 8)];
  const moved = cells.put(lane, [cell('a', 2, 4), cell('b', 4, 6)]);
  assert.deepEqual(moved.map(({ id, start, end }) => [id, start, end]), [['a', 2, 4], ['b', 4, 6], ['c', 6, 8]]);
  const hits = cells.put([hit('h', 0), hit('i', 1)], [hit('j', 1), hit('k', 0.5)]);
  assert.deepEqual(hits.map(({ id }) => id), ['h', 'k', 'j']);
});

test('cutting and joining', () => {
  assert.deepEqual(cells.halves(cell('a', 0, 4), 1, 'n'), [cell('a', 0, 1), cell('n', 1, 4)]);
  assert.equal(cells.halves(cell('a', 0, 4), 3.99, 'n').length, 1); // nothing would be left
  assert.deepEqual(cells.merged([cell('b', 4, 8, 'G'), cell('a', 0, 4, 'C')]), cell('a', 0, 8, 'C'));
});

test('quantising keeps a step', () => {
  assert.deepEqual(cells.quantised([cell('a', 0.1, 0.2), cell('b', 1.4, 2.9)], 0.5), [cell('a', 0, 0.5), cell('b', 1.5, 3)]);
  assert.deepEqual(cells.quantised([hit('h', 0.7)], 0.25), [hit('h', 0.75)]);
});

test('copies are new objects', () => {
  const [copy] = cells.copies([cell('a', 0, 2)], 4, 'c');
  assert.equal(copy.start, 4);
  assert.equal(copy.end, 6);
  assert.notEqual(copy.id, 'a');
});

test('only what differs is sent', () => {
  const before = [cell('a', 0, 2), cell('b', 2, 4), cell('c', 4, 8)];
  const after = [cell('a', 0, 2), cell('b', 2, 3), cell('d', 3, 4)];
  assert.deepEqual(cells.changes(before, after), { put: [cell('b', 2, 3), cell('d', 3, 4)], remove: ['c'] });
  assert.deepEqual(cells.changes(before, before), { put: [], remove: [] });
});

test('neighbours by time', () => {
  const lane = [cell('a', 0, 2), cell('b', 2, 4)];
  assert.equal(cells.neighbour(lane, 0, 1).id, 'b');
  assert.equal(cells.neighbour(lane, 2, -1).id, 'a');
  assert.equal(cells.neighbour(lane, 2, 1), null);
});

test('many cells at once cut what they cover as they would one after the other', () => {
  let seed = 7;
  const random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };
  for (let round = 0; round < 40; round++) {
    const lane = [];
    for (let at = 0; at < 40; at += 1 + Math.floor(random() * 4)) lane.push(cell(`a${at}`, at, at + 1 + Math.floor(random() * 1.9)));
    const whole = [cell('long', 0, 40)];
    const group = [];
    for (let at = 2; at < 36; at += 2 + Math.floor(random() * 5)) group.push(cell(`g${at}`, at, at + 1));
    for (const before of [lane.filter(({ end }, i) => end <= (lane[i + 1]?.start ?? 99)), whole]) {
      assert.deepEqual(cells.put(before, group), group.reduce(cells.cover, before));
    }
  }
});

test('chords that were heard come onto beats, none over another', () => {
  const heard = [cell('a', 0.12, 1.93), cell('b', 1.93, 2.3), cell('c', 2.3, 3.7), cell('d', 3.7, 4.08), cell('e', 4.08, 7.9)];
  assert.equal(cells.offBeats(heard, 0, 8), 5);
  const put = cells.onBeats(heard, 0, 8);
  assert.deepEqual(put, [cell('a', 0, 2), cell('c', 2, 4), cell('e', 4, 8)]);
  assert.equal(cells.offBeats(put, 0, 8), 0);
});

test('what begins before the first beat stays inside the clip', () => {
  assert.deepEqual(cells.onBeats([cell('a', -0.6, 1.1), cell('b', 1.1, 7.7)], -0.6, 7.7), [cell('a', -0.6, 1), cell('b', 1, 7.7)]);
  assert.equal(cells.offBeats([cell('a', -0.6, 1), cell('b', 1, 7.7)], -0.6, 7.7), 0);
});
