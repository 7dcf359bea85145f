/** Tap tempo: pure. Times in seconds, ascending. */

const PAUSE = 2; // seconds; a longer pause begins anew
const LAST = 8; // taps that count

/** Taps that belong together: the newest ones without a pause between them. */
export function tapsInTime(taps) {
  let first = taps.length - 1;
  while (first > 0 && taps[first] - taps[first - 1] <= PAUSE) first -= 1;
  return taps.slice(Math.max(first, taps.length - LAST, 0));
}

/** Beats per minute of at least three taps, to half a beat; null with fewer, or out of 20-400. */
export function tappedTempo(taps) {
  const recent = tapsInTime(taps);
  if (recent.length < 3) return null;
  const bpm = Math.round((2 * 60 * (recent.length - 1)) / (recent.at(-1) - recent[0])) / 2;
  return bpm >= 20 && bpm <= 400 ? bpm : null;
}
