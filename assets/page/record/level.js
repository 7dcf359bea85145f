/** How loud what is recorded is, in words, and when it is recorded. Pure functions. */

const FLOOR = -60; // dB of full scale, the left end of the meter
export const GOOD = [-24, -6]; // dB that peaks should lie between

/** Peak of samples in dB of full scale, not below the meter's floor. */
export function peakOf(samples) {
  let top = 0;
  for (const sample of samples) top = Math.max(top, Math.abs(sample));
  return Math.max(FLOOR, 20 * Math.log10(top || 1e-9));
}

/** Share of the meter for a level in dB. */
export const shareOf = (db) => Math.min(1, Math.max(0, 1 - db / FLOOR));

/** A level in words; `clipped`: the time at which it was too loud to be held, null = never. */
export function levelWords(db, clipped = null) {
  if (clipped !== null) return `Clipped at ${clipped}`;
  if (db <= FLOOR + 0.5) return 'Silent';
  if (db < GOOD[0]) return 'Quiet';
  return db > -3 ? `Too loud, peak ${dbWords(db)}` : `Good level, peak ${dbWords(db)}`;
}

const dbWords = (db) => `${db > -0.5 ? '0' : String(Math.round(db)).replace('-', '−')} dB`;

/**
 * Seconds by which what comes from the microphone is late, as the browser tells them: of its input, and of the
 * output that one plays along with. `known`: whether it told any.
 */
export function latencyOf(settings, context) {
  const parts = [settings?.latency, context.outputLatency || context.baseLatency].filter((part) => Number.isFinite(part) && part > 0);
  return { seconds: Math.min(1, parts.reduce((sum, part) => sum + part, 0)), known: parts.length > 0 };
}

/** The beats that are counted before recording begins: [{before: seconds, accent, number}], in order. */
export function countedIn(grid, bars) {
  const beats = bars * grid.beats_per_bar;
  return Array.from({ length: beats }, (_, i) => ({
    before: ((beats - i) * 60) / grid.bpm, accent: i % grid.beats_per_bar === 0, number: (i % grid.beats_per_bar) + 1,
  }));
}
