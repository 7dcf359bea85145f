import test from 'node:test';
import assert from 'node:assert/strict';
import * as drums from '../../assets/page/music/drums.js';

const grid = { bpm: 120, beats_per_bar: 4, offset: 0 };
const times = (hits, drum) => hits.filter((hit) => hit.drum === drum).map(({ time }) => time);

test('a pattern fills whole bars and stops at the end', () => {
  const rock = drums.PATTERNS.find(({ name }) => name === 'Rock');
  const hits = drums.patternHits(rock, 0, 6, 4);
  assert.deepEqual(times(hits, 'kick'), [0, 2, 2.5, 4]);
  assert.deepEqual(times(hits, 'snare'), [1, 3, 5]);
});

test('a pattern keeps its place in the bar when it begins in the middle', () => {
  const rock = drums.PATTERNS.find(({ name }) => name === 'Rock');
  assert.deepEqual(times(drums.patternHits(rock, 3, 5, 4), 'snare'), [3]);
  assert.deepEqual(times(drums.patternHits(rock, 3, 5, 4), 'kick'), [4]);
});

test('every pattern is whole rows of known drums', () => {
  for (const { name, ...rows } of drums.PATTERNS) {
    const lengths = new Set(Object.values(rows).map((row) => row.length));
    assert.equal(lengths.size, 1, name);
    assert.ok([12, 16].includes([...lengths][0]), name);
    for (const [drum, row] of Object.entries(rows)) {
      assert.ok(drums.DRUMS.includes(drum), `${name}: ${drum}`);
      assert.match(row, /^[x.]+$/, name);
    }
  }
});

test('swing moves off-beats only, and straightens again', () => {
  const straight = [0, 0.5, 1, 1.5].map((time, i) => ({ id: `h${i}`, time, drum: 'hat' }));
  const swung = drums.swung(straight, 2 / 3);
  assert.deepEqual(swung.map(({ time }) => time), [0, 0.6667, 1, 1.6667]);
  assert.deepEqual(drums.swung(swung, 0.5).map(({ time }) => time), [0, 0.5, 1, 1.5]);
  assert.deepEqual(drums.swung([{ id: 'h', time: 0.25, drum: 'hat' }], 0.75, 0.5)[0].time, 0.375);
});

test('the models are told of hits in latent frames', () => {
  const hits = [{ id: 'a', time: 0, drum: 'kick' }, { id: 'b', time: 0, drum: 'hat' }, { id: 'c', time: 1, drum: 'snare' }, { id: 'd', time: 99, drum: 'tom' }];
  const told = drums.frames(hits, grid, 25, 0, 50);
  assert.equal(told[0], 0b00101);
  assert.equal(told[12], 0b00010); // 0.5 s
  assert.equal(told.reduce((sum, bits) => sum + (bits > 0), 0), 2);
  const window = drums.frames(hits, grid, 25, 0.47, 4); // a window that begins between the clip's frames
  assert.deepEqual([...window], [0b00010, 0, 0, 0]);
  assert.equal(drums.frames([{ id: 'e', time: -1, drum: 'kick' }], grid, 25, -1, 50).every((bits) => bits === 0), true);
});

test('a step holds what lies in it', () => {
  const hits = [{ id: 'a', time: 0.6667, drum: 'hat' }];
  assert.equal(drums.hitAt(hits, 0.5, 'hat').id, 'a');
  assert.equal(drums.hitAt(hits, 0.75, 'hat'), undefined);
  assert.equal(drums.hitAt(hits, 0.5, 'kick'), undefined);
});

test('replacing a stretch leaves the rest', () => {
  const hits = [0, 1, 2, 3].map((time) => ({ id: `h${time}`, time, drum: 'kick' }));
  assert.deepEqual(drums.replaceWithin(hits, [{ id: 'n', time: 1.5, drum: 'kick' }], 1, 3).map(({ id }) => id), ['h0', 'n', 'h3']);
});
