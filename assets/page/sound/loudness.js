/**
 * Integrated loudness after ITU-R BS.1770-4, and the gains that make takes as loud as each other.
 * Samples are Float32Array per channel, full scale 1; loudness in LUFS. Knows no audio context and no DOM.
 */

export const TARGET = -14; // LUFS, where no peak stands in the way
const CEILING = 0.98; // of full scale, for the loudest peak after matching
const BLOCK = 0.4; // seconds; three quarters of each overlap the next
const ABSOLUTE = -70; // LUFS, the gate for silence
const RELATIVE = -10; // LU below the mean of what passed it

/** The two K-weighting filters at a sample rate: [{b: [3], a: [2]}], a0 = 1 (BS.1770-4, annex 1). */
export function kWeighting(rate) {
  const shelf = (() => {
    const k = Math.tan((Math.PI * 1681.974450955533) / rate);
    const q = 0.7071752369554196;
    const vh = 10 ** (3.999843853973347 / 20);
    const vb = vh ** 0.4996667741545416;
    const a0 = 1 + k / q + k * k;
    return {
      b: [(vh + (vb * k) / q + k * k) / a0, (2 * (k * k - vh)) / a0, (vh - (vb * k) / q + k * k) / a0],
      a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0],
    };
  })();
  const k = Math.tan((Math.PI * 38.13547087602444) / rate);
  const q = 0.5003270373238773;
  const a0 = 1 + k / q + k * k;
  return [shelf, { b: [1, -2, 1], a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0] }];
}

function filtered(samples, { b, a }) {
  const out = new Float64Array(samples.length);
  const [b0, b1, b2] = b;
  const [a1, a2] = a;
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i];
    const y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
    x2 = x1; // plain assignments: Firefox makes an array of each other kind
    x1 = x;
    y2 = y1;
    y1 = y;
    out[i] = y;
  }
  return out;
}

const toLufs = (power) => -0.691 + 10 * Math.log10(power);

/** Integrated loudness of some channels; -Infinity for silence. Less than a block counts as one. */
export function integrated(channels, rate) {
  const length = channels[0]?.length ?? 0;
  const size = Math.min(length, Math.round(BLOCK * rate));
  if (!size) return -Infinity;
  const weighted = channels.map((samples) => kWeighting(rate).reduce(filtered, samples));
  const blocks = [];
  for (let from = 0; from + size <= length; from += Math.max(1, Math.round(size / 4))) {
    let power = 0;
    for (const samples of weighted) for (let i = from; i < from + size; i++) power += samples[i] * samples[i];
    blocks.push(power / size);
  }
  const mean = (list) => list.reduce((sum, power) => sum + power, 0) / list.length;
  const loud = blocks.filter((power) => power > 0 && toLufs(power) > ABSOLUTE);
  if (!loud.length) return -Infinity;
  const gate = toLufs(mean(loud)) + RELATIVE;
  return toLufs(mean(loud.filter((power) => toLufs(power) > gate)));
}

/** Loudness of one block of samples that are K-weighted already; -Infinity for silence. */
export function momentary(weighted) {
  let power = 0;
  for (const samples of weighted) {
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    power += sum / Math.max(1, samples.length);
  }
  return power > 0 ? toLufs(power) : -Infinity;
}

/** Largest magnitude of some channels. */
export function peak(channels) {
  let most = 0;
  for (const samples of channels) {
    for (let i = 0; i < samples.length; i++) {
      const size = Math.abs(samples[i]);
      if (size > most) most = size;
    }
  }
  return most;
}

/**
 * levels: [{id, lufs, peak}] -> {target, gains: Map(id -> gain)}. The target is -14 LUFS, or as much lower
 * as it takes to let no peak reach full scale; silence keeps its level.
 */
export function matching(levels) {
  const heard = levels.filter(({ lufs }) => Number.isFinite(lufs));
  const target = Math.min(TARGET, ...heard.map(({ lufs, peak: top }) => lufs + 20 * Math.log10(CEILING / Math.max(top, 1e-6))));
  return { target, gains: new Map(heard.map(({ id, lufs }) => [id, 10 ** ((target - lufs) / 20)])) };
}
