/**
 * Min/max pyramid of a decoded recording, and the columns to draw from it.
 * Level 0 holds one min, one max and the mean square per BASE samples over all channels; each next level halves.
 * Drawing a column costs a few reads at any zoom. Knows no DOM and no Web Audio.
 */

export const BASE = 64;

/** channels: Float32Array[] of equal length -> {length, levels: [{size, min, max, power}], channels} */
export function buildPyramid(channels) {
  const length = channels[0]?.length ?? 0;
  let size = BASE;
  const count = Math.ceil(length / size);
  let min = new Float32Array(count);
  let max = new Float32Array(count);
  let power = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let low = Infinity;
    let high = -Infinity;
    let sum = 0;
    const end = Math.min((i + 1) * size, length);
    for (const data of channels) {
      for (let s = i * size; s < end; s++) {
        if (data[s] < low) low = data[s];
        if (data[s] > high) high = data[s];
        sum += data[s] * data[s];
      }
    }
    min[i] = low;
    max[i] = high;
    power[i] = sum / Math.max(1, (end - i * size) * channels.length);
  }
  const levels = [{ size, min, max, power }];
  while (min.length > 1) {
    const half = Math.ceil(min.length / 2);
    const lower = new Float32Array(half);
    const upper = new Float32Array(half);
    const mean = new Float32Array(half);
    for (let i = 0; i < half; i++) {
      const j = Math.min(2 * i + 1, min.length - 1);
      lower[i] = Math.min(min[2 * i], min[j]);
      upper[i] = Math.max(max[2 * i], max[j]);
      mean[i] = (power[2 * i] + power[j]) / 2;
    }
    [min, max, power, size] = [lower, upper, mean, size * 2];
    levels.push({ size, min, max, power });
  }
  return { length, levels, channels };
}

/** [low, high] of samples [from, to), read from the coarsest level that resolves the range. */
export function rangeOf(pyramid, from, to) {
  const [begin, end] = samplesOf(pyramid, from, to);
  if (begin >= end) return [0, 0];
  if (end - begin < BASE && pyramid.channels?.length) return exactly(pyramid.channels, begin, end);
  const { level, first, last } = blocksOf(pyramid, begin, end);
  let low = Infinity;
  let high = -Infinity;
  for (let i = first; i < last; i++) {
    if (level.min[i] < low) low = level.min[i];
    if (level.max[i] > high) high = level.max[i];
  }
  return [low, high];
}

/** Root mean square of samples [from, to) over all channels, to the resolution of the level; 0 where nothing is known. */
export function levelOf(pyramid, from, to) {
  const [begin, end] = samplesOf(pyramid, from, to);
  const { level, first, last } = blocksOf(pyramid, begin, end);
  let sum = 0;
  for (let i = first; i < last; i++) sum += level.power?.[i] ?? 0;
  return last > first ? Math.sqrt(sum / (last - first)) : 0;
}

/** The whole samples [begin, end) of the recording that [from, to) meets, at least one where it reaches. */
function samplesOf(pyramid, from, to) {
  const begin = Math.max(0, Math.floor(from));
  return [begin, Math.min(pyramid.length, Math.max(Math.ceil(to), begin + 1))];
}

/** The coarsest level that resolves samples [begin, end), and its blocks [first, last) that hold them. */
function blocksOf(pyramid, begin, end) {
  let level = pyramid.levels[0];
  for (const next of pyramid.levels) if (next.size <= (end - begin) / 2) level = next;
  return { level, first: Math.floor(begin / level.size), last: Math.min(Math.ceil(end / level.size), level.min.length) };
}

/** [low, high] of samples [begin, end) read one by one: a zoom deeper than the pyramid's first level. */
function exactly(channels, begin, end) {
  let low = Infinity;
  let high = -Infinity;
  for (const data of channels) {
    for (let s = begin; s < end; s++) {
      if (data[s] < low) low = data[s];
      if (data[s] > high) high = data[s];
    }
  }
  return [low, high];
}

/** Largest magnitude of the whole recording, for drawing a quiet one at a readable height. */
export function loudest(pyramid) {
  const [low, high] = rangeOf(pyramid, 0, pyramid.length);
  return Math.max(-low, high, 0);
}
