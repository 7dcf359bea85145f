import test from 'node:test';
import assert from 'node:assert/strict';
import { movedEdge } from '../../assets/page/board/lane-sizes.js';

test('an edge moves height between two lanes, each keeps half of its design', () => {
  const design = [100, 50, 160];
  assert.deepEqual(movedEdge([100, 50, 160], 0, 10, design), [110, 40, 160]);
  assert.deepEqual(movedEdge([100, 50, 160], 0, 99, design), [125, 25, 160]);
  assert.deepEqual(movedEdge([100, 50, 160], 1, -99, design), [100, 25, 185]);
});
