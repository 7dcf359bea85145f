/**
 * Spectrograms of decoded recordings, and what differs between two of them. Frequencies lie on a logarithmic
 * axis, magnitudes are dB of full scale. Knows no DOM and no audio context.
 */

export const SIZE = 2048; // samples of a window
export const ROWS = 96; // of a picture, from LOW to HIGH
export const LOW = 50; // Hz
export const HIGH = 16000; // Hz
const FLOOR = -80; // dB; what lies below counts as silence

const WINDOW = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
const [COS, SIN] = [Math.cos, Math.sin].map((wave) => Float64Array.from({ length: SIZE / 2 }, (_, i) => wave((2 * Math.PI * i) / SIZE)));
const REVERSED = Uint16Array.from({ length: SIZE }, (_, i) => {
  let out = 0;
  for (let bit = 1, from = SIZE >> 1; from; bit <<= 1, from >>= 1) if (i & from) out |= bit;
  return out;
});

/** Fast Fourier transform in place: re, im of SIZE values. Plain assignments: Firefox makes an array of each other kind. */
export function transform(re, im) {
  for (let i = 0; i < SIZE; i++) {
    const j = REVERSED[i];
    if (j <= i) continue;
    const real = re[i];
    const imaginary = im[i];
    re[i] = re[j];
    im[i] = im[j];
    re[j] = real;
    im[j] = imaginary;
  }
  for (let half = 1; half < SIZE; half *= 2) {
    const step = SIZE / 2 / half;
    for (let start = 0; start < SIZE; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = COS[k * step];
        const s = -SIN[k * step];
        const a = start + k;
        const b = a + half;
        const x = re[b] * c - im[b] * s;
        const y = re[b] * s + im[b] * c;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** First bin of each of the rows of a picture, and one past the last: Int32Array of rows + 1. */
export function rowEdges(rate, rows = ROWS) {
  const top = Math.min(HIGH, rate / 2);
  return Int32Array.from({ length: rows + 1 }, (_, row) => {
    const bin = Math.round((LOW * (top / LOW) ** (row / rows) * SIZE) / rate);
    return Math.min(bin, SIZE / 2);
  });
}

/**
 * channels: Float32Array[] -> {columns, rows, values}: Float32Array [columns * rows] in dB, lowest row first.
 * Column i is centred on from + (i + 0.5) * (to - from) / columns, in samples; outside the recording is silence.
 */
export function spectrogram(channels, rate, from, to, columns, rows = ROWS) {
  const edges = rowEdges(rate, rows);
  const values = new Float32Array(columns * rows);
  const [re, im] = [new Float64Array(SIZE), new Float64Array(SIZE)];
  const scale = 4 / SIZE; // a sine of full scale reads 0 dB
  for (let column = 0; column < columns; column++) {
    const begin = Math.round(from + ((column + 0.5) * (to - from)) / columns - SIZE / 2);
    im.fill(0);
    for (let i = 0; i < SIZE; i++) {
      let sum = 0;
      const at = begin + i;
      for (let c = 0; c < channels.length; c++) if (at >= 0 && at < channels[c].length) sum += channels[c][at];
      re[i] = (sum / channels.length) * WINDOW[i];
    }
    transform(re, im);
    for (let row = 0; row < rows; row++) {
      let power = 0;
      const last = Math.max(edges[row + 1], edges[row] + 1);
      for (let bin = edges[row]; bin < last; bin++) power = Math.max(power, re[bin] * re[bin] + im[bin] * im[bin]);
      values[column * rows + row] = Math.max(FLOOR, 10 * Math.log10(power * scale * scale + 1e-12));
    }
  }
  return { columns, rows, values };
}

/** How far two spectrograms of one shape lie apart, dB: Float32Array, never negative. */
export function difference(a, b) {
  return Float32Array.from(a.values, (value, i) => Math.abs(value - b.values[i]));
}

/** A picture of values between low and high as RGBA bytes, highest row on top, from ink [r, g, b] on black. */
export function shade(values, columns, rows, low, high, ink) {
  const bytes = new Uint8ClampedArray(columns * rows * 4);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      const share = Math.min(1, Math.max(0, (values[column * rows + row] - low) / (high - low)));
      const at = ((rows - 1 - row) * columns + column) * 4;
      const light = Math.max(0, share - 0.7) / 0.3; // the last third goes to white
      for (let c = 0; c < 3; c++) bytes[at + c] = ink[c] * Math.min(1, share / 0.7) * (1 - light) + 255 * light;
      bytes[at + 3] = 255;
    }
  }
  return bytes;
}
