import test from 'node:test';
import assert from 'node:assert/strict';
import { apart, inside } from '../../assets/page/parts/labels.js';

test('a legend ends inside its lane, on a phone too', () => {
  assert.equal(inside(40, 120, 900), 40);
  assert.equal(inside(280, 150, 326), 168);
  assert.equal(inside(280, 400, 326), 8); // wider than the lane: its beginning is read
});

test('percentages are whole or left out, and none lies over another', () => {
  const labels = [[0, 30], [20, 30], [60, 30], [310, 30]].map(([x, wide]) => ({ x, wide }));
  assert.deepEqual(apart(labels, 326).map(({ x }) => x), [0, 60]);
  assert.deepEqual(apart([{ x: -10, wide: 30 }, { x: 8, wide: 30 }], 100).map(({ x }) => x), [8]);
});
