import test from 'node:test';
import assert from 'node:assert/strict';
import { BASE, buildPyramid, levelOf, loudest, rangeOf } from '../../assets/page/sound/peaks.js';

function noise(length, seed = 1) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1;
  });
}

test('a range holds at least the true peaks and never more than the block around it', () => {
  const data = noise(10_000);
  const pyramid = buildPyramid([data]);
  for (const [from, to] of [[0, 10_000], [100, 101], [640, 1280], [3000, 9000], [9990, 10_000]]) {
    const [low, high] = rangeOf(pyramid, from, to);
    const inside = data.slice(from, to);
    assert.ok(low <= Math.min(...inside) && high >= Math.max(...inside));
    const widest = Math.max(BASE, (to - from) / 2);
    const around = data.slice(Math.max(0, from - widest), to + widest);
    assert.ok(low >= Math.min(...around) && high <= Math.max(...around));
  }
});

test('a single loud sample is seen at every zoom', () => {
  const data = new Float32Array(100_000);
  data[54_321] = 0.9;
  const pyramid = buildPyramid([data]);
  for (const width of [1, 64, 1000, 20_000, 100_000]) {
    const from = Math.floor(54_321 / width) * width;
    assert.ok(Math.abs(rangeOf(pyramid, from, from + width)[1] - 0.9) < 1e-6, `width ${width}`);
  }
});

test('all channels count', () => {
  const pyramid = buildPyramid([new Float32Array(200).fill(0.1), new Float32Array(200).fill(-0.7)]);
  const [low, high] = rangeOf(pyramid, 0, 200);
  assert.ok(Math.abs(low + 0.7) < 1e-6 && Math.abs(high - 0.1) < 1e-6);
  assert.ok(Math.abs(loudest(pyramid) - 0.7) < 1e-6);
});

test('nothing outside the recording, and silence for an empty one', () => {
  assert.deepEqual(rangeOf(buildPyramid([new Float32Array(100).fill(0.5)]), 200, 300), [0, 0]);
  assert.equal(loudest(buildPyramid([new Float32Array(0)])), 0);
});

test('deeper than the first level the samples themselves are read', () => {
  const wave = Float32Array.from({ length: 1000 }, (_, i) => (i === 70 ? 0.9 : 0.1));
  const pyramid = buildPyramid([wave]);
  assert.deepEqual(rangeOf(pyramid, 64, 70).map((x) => Math.round(x * 10)), [1, 1]); // the peak lies just behind
  assert.deepEqual(rangeOf(pyramid, 69, 71).map((x) => Math.round(x * 10)), [1, 9]);
});

test('the level is the root mean square over all channels, at every zoom', () => {
  const sine = Float32Array.from({ length: 64_000 }, (_, i) => 0.8 * Math.sin((2 * Math.PI * i) / 64));
  const pyramid = buildPyramid([sine, new Float32Array(64_000)]); // the other channel is silent
  for (const [from, to] of [[0, 64], [640, 12_800], [0, 64_000]]) {
    assert.ok(Math.abs(levelOf(pyramid, from, to) - 0.8 / 2) < 1e-3);
  }
  assert.equal(levelOf(pyramid, 70_000, 70_100), 0);
});
