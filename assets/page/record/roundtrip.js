/**
 * How late the microphone is, measured: clicks leave the speakers and come back. What the browser tells of its latency
 * is often a guess, and nothing it knows of is in the air between. Times in seconds.
 */

const CLICKS = [0, 0.37, 0.71, 1.13]; // so far apart that no delay takes one for another
const LEAD = 0.15; // before the first
export const LONGEST = 0.6; // delay that is looked for
const CLEAR = 4; // times as loud as at other delays, or the clicks were not heard
const NEAR = 0.012; // a click's loudest moment comes at most so long after it began

/** The delay with which clicks at `clicks` are heard in samples [n] that begin at 0; null where they are not heard. */
export function roundTrip(samples, rate, clicks = CLICKS) {
  const hop = Math.round(rate / 1000);
  const loud = Float64Array.from({ length: Math.floor(samples.length / hop) }, (_, i) => {
    let sum = 0;
    for (let k = i * hop; k < (i + 1) * hop; k++) sum += samples[k] ** 2;
    return Math.sqrt(sum / hop);
  });
  // All clicks have to be there: the faintest counts.
  const faintest = Array.from({ length: Math.round(LONGEST * 1000) }, (_, lag) => Math.min(...clicks.map((at) => loud[Math.round(at * 1000) + lag] ?? 0)));
  const best = faintest.indexOf(Math.max(...faintest));
  const usual = [...faintest].sort((a, b) => a - b)[faintest.length >> 1];
  if (faintest[best] < 1e-4 || faintest[best] < CLEAR * usual) return null;
  const first = Math.max(0, best - Math.round(NEAR * 1000));
  return (first + faintest.slice(first, best + 1).findIndex((value) => value >= faintest[best] / 4)) / 1000;
}

/**
 * Plays clicks by `clickAt(time, accent)` and gives the delay with which an open microphone hears them; null where it
 * does not, or is closed meanwhile.
 */
export async function measured(microphone, context, clickAt) {
  await context.resume();
  const begins = context.currentTime + LEAD;
  const ends = begins + CLICKS.at(-1) + LONGEST + 0.05;
  microphone.begin();
  for (const after of CLICKS) clickAt(begins + after, true);
  const heard = await new Promise((done) => {
    const look = (event) => {
      const block = event.detail?.block;
      const whole = block && block.at + block.channels[0].length >= ends * context.sampleRate;
      if (!whole && microphone.state === 'ready') return;
      for (const name of ['heard', 'state']) microphone.removeEventListener(name, look);
      done(whole);
    };
    for (const name of ['heard', 'state']) microphone.addEventListener(name, look);
  });
  const [samples] = await microphone.finish(context.sampleRate, begins, ends);
  return heard ? roundTrip(samples, context.sampleRate) : null;
}
