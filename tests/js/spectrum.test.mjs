/** Spectrograms of known sounds, and their differences. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { HIGH, LOW, ROWS, SIZE, difference, rowEdges, shade, spectrogram, transform } from '../../assets/page/sound/spectrum.js';

const rate = 44100;
const sine = (hz, level = 1, seconds = 1) => Float32Array.from({ length: rate * seconds }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rate));

test('the transform is that of the definition', () => {
  const re = Float64Array.from({ length: SIZE }, (_, i) => Math.sin(i * 0.7) + (i % 5));
  const im = new Float64Array(SIZE);
  const given = re.slice();
  transform(re, im);
  for (const k of [0, 1, 17, SIZE / 2]) {
    let [x, y] = [0, 0];
    for (let i = 0; i < SIZE; i++) {
      x += given[i] * Math.cos((2 * Math.PI * k * i) / SIZE);
      y -= given[i] * Math.sin((2 * Math.PI * k * i) / SIZE);
    }
    assert.ok(Math.hypot(re[k] - x, im[k] - y) < 1e-6);
  }
});

test('a tone stands in its own row at its own level', () => {
  const { columns, rows, values } = spectrogram([sine(1000, 0.5)], rate, 4000, 40000, 10);
  const edges = rowEdges(rate);
  const bin = (1000 * SIZE) / rate;
  for (let column = 0; column < columns; column++) {
    const one = values.subarray(column * rows, (column + 1) * rows);
    const loudest = one.indexOf(Math.max(...one));
    assert.ok(edges[loudest] - 1 <= bin && bin <= edges[loudest + 1] + 1);
    assert.ok(Math.abs(one[loudest] + 6.02) < 1.6); // half of full scale; a tone between two bins reads a little less
    assert.ok(one[ROWS - 1] < -60);
  }
});

test('rows rise from 50 Hz to 16 kHz and never beyond what the rate holds', () => {
  const edges = rowEdges(rate);
  assert.ok(Math.abs((edges[0] * rate) / SIZE - LOW) < rate / SIZE);
  assert.ok(Math.abs((edges[ROWS] * rate) / SIZE - HIGH) < rate / SIZE);
  for (let i = 1; i <= ROWS; i++) assert.ok(edges[i] >= edges[i - 1]);
  assert.ok(rowEdges(8000)[ROWS] <= SIZE / 2);
});

test('equal sounds differ nowhere, another tone differs at both tones', () => {
  const [a, b] = [sine(500), sine(2000)].map((tone) => spectrogram([tone], rate, 0, rate, 8));
  assert.equal(Math.max(...difference(a, a)), 0);
  const apart = difference(a, b);
  assert.ok(Math.max(...apart) > 60);
  assert.ok(apart.every((value) => value >= 0));
});

test('beyond the recording is silence', () => {
  const { values } = spectrogram([sine(500)], rate, 3 * rate, 4 * rate, 4);
  assert.equal(Math.max(...values), -80);
});

test('a picture is black below, its ink in the middle, white above, high tones on top', () => {
  const bytes = shade(Float32Array.of(0, 30, 21, 15), 2, 2, 0, 30, [0, 200, 100]);
  const pixel = (x, y) => [...bytes.slice((y * 2 + x) * 4, (y * 2 + x) * 4 + 4)];
  assert.deepEqual(pixel(0, 1), [0, 0, 0, 255]);
  assert.deepEqual(pixel(0, 0), [255, 255, 255, 255]);
  assert.deepEqual(pixel(1, 1), [0, 200, 100, 255]);
  assert.deepEqual(pixel(1, 0), [0, 143, 71, 255]);
});
