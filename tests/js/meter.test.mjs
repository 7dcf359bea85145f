import test from 'node:test';
import assert from 'node:assert/strict';
import { share } from '../../assets/page/sound/meter.js';
import { integrated, kWeighting, momentary } from '../../assets/page/sound/loudness.js';

test('a bar goes from -60 dB to full scale', () => {
  assert.deepEqual([-90, -60, -30, 0, 3].map(share), [0, 0, 0.5, 1, 1]);
});

const RATE = 48000;
const tone = (amplitude, hertz = 997) => Float32Array.from({ length: RATE }, (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / RATE));

/** What an IIR filter node does. */
function filtered(samples, { b, a }) {
  const out = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const x = (k) => samples[i - k] ?? 0;
    const y = (k) => out[i - k] ?? 0;
    out[i] = b[0] * x(0) + b[1] * x(1) + b[2] * x(2) - a[0] * y(1) - a[1] * y(2);
  }
  return out;
}

test('a steady tone is as loud in a moment as in all', () => {
  const channels = [tone(0.1), tone(0.05)];
  const weighted = channels.map((samples) => kWeighting(RATE).reduce(filtered, samples).subarray(RATE - 0.4 * RATE));
  assert.ok(Math.abs(momentary(weighted) - integrated(channels, RATE)) < 0.1);
  assert.ok(Math.abs(momentary(weighted.slice(0, 1)) - (-0.691 - 20 - 3.01 + 0.69)) < 0.1); // BS.1770: 0 dBFS at 997 Hz is -3.01 LKFS
});

test('silence has no loudness', () => {
  assert.equal(momentary([new Float32Array(100)]), -Infinity);
});
