/** BS.1770 by its own reference figures, and the gains that level takes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { TARGET, integrated, kWeighting, matching, peak } from '../../assets/page/sound/loudness.js';

const sine = (hz, seconds, rate, level = 1) => Float32Array.from({ length: Math.round(seconds * rate) }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rate));

test('the filters at 48 kHz are those that the recommendation prints', () => {
  const [shelf, high] = kWeighting(48000);
  const near = (values, expected) => values.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${value} for ${expected[i]}`));
  near(shelf.b, [1.53512485958697, -2.69169618940638, 1.19839281085285]);
  near(shelf.a, [-1.69065929318241, 0.73248077421585]);
  near(high.b, [1, -2, 1]);
  near(high.a, [-1.99004745483398, 0.99007225036621]);
});

test('a 997 Hz sine of full scale reads -3.01 LUFS on one channel, at any rate', () => {
  for (const rate of [44100, 48000, 96000]) {
    assert.ok(Math.abs(integrated([sine(997, 3, rate)], rate) + 3.01) < 0.05);
  }
  const tone = sine(997, 3, 48000, 0.1);
  assert.ok(Math.abs(integrated([tone, tone], 48000) + 20) < 0.05);
});

test('gates: silence between notes does not count, silence alone has no loudness', () => {
  const rate = 48000;
  const tone = sine(997, 4, rate, 0.2);
  const half = Float32Array.from(tone, (x, i) => (i < tone.length / 2 ? x : 0));
  assert.ok(Math.abs(integrated([half], rate) - integrated([tone], rate)) < 0.5); // ungated it would be 3
  assert.equal(integrated([new Float32Array(rate)], rate), -Infinity);
  assert.equal(integrated([], rate), -Infinity);
  assert.ok(Number.isFinite(integrated([tone.subarray(0, 100)], rate)));
});

test('levelled takes are equally loud, at -14 LUFS where no peak stands in the way', () => {
  const { target, gains } = matching([{ id: 'a', lufs: -20, peak: 0.2 }, { id: 'b', lufs: -9, peak: 0.9 }]);
  assert.equal(target, TARGET);
  assert.ok(Math.abs(-20 + 20 * Math.log10(gains.get('a')) - TARGET) < 1e-9);
  assert.ok(Math.abs(-9 + 20 * Math.log10(gains.get('b')) - TARGET) < 1e-9);
});

test('a peak that would leave full scale lowers the target for all', () => {
  const levels = [{ id: 'a', lufs: -30, peak: 0.9 }, { id: 'b', lufs: -20, peak: 0.5 }, { id: 'silent', lufs: -Infinity, peak: 0 }];
  const { target, gains } = matching(levels);
  assert.ok(target < -29);
  for (const { id, peak: top } of levels.slice(0, 2)) assert.ok(top * gains.get(id) <= 0.9801);
  assert.equal(gains.has('silent'), false);
});

test('the peak is the largest magnitude of any channel', () => {
  assert.equal(peak([Float32Array.of(0.1, -0.5), Float32Array.of(0.25, 0)]), 0.5);
});
