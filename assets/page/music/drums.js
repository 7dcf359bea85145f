/**
 * Drum hits {id, time, drum}, times in beats; patterns, swing and what the models are told. Pure functions.
 * A pattern is one bar, a letter per sixteenth; "x" is a hit. Knows no DOM.
 */

import { newId, tidy } from './cells.js';
import { beatsToSeconds } from './time.js';

export const DRUMS = ['kick', 'snare', 'hat', 'tom', 'cymbal'];
export const STEP = 0.25; // beats: a sixteenth in x/4

export const PATTERNS = [
  { name: 'Rock', kick: 'x.......x.x.....', snare: '....x.......x...', hat: 'x.x.x.x.x.x.x.x.' },
  { name: 'Four on the floor', kick: 'x...x...x...x...', snare: '....x.......x...', hat: '..x...x...x...x.' },
  { name: 'Backbeat, sixteenths', kick: 'x.....x.x.......', snare: '....x.......x...', hat: 'xxxxxxxxxxxxxxxx' },
  { name: 'Half time', kick: 'x.........x.....', snare: '........x.......', hat: 'x.x.x.x.x.x.x.x.' },
  { name: 'Breakbeat', kick: 'x.x.......xx....', snare: '....x..x.x..x..x', hat: 'x.x.x.x.x.x.x.x.' },
  { name: 'Bossa nova', kick: 'x..xx..xx..xx..x', snare: 'x..x..x...x..x..', hat: 'x.x.x.x.x.x.x.x.' },
  { name: 'Jazz ride', kick: 'x...........x...', hat: '....x.......x...', cymbal: 'x...x..xx...x..x' },
  { name: 'Trap', kick: 'x......x..x.....', snare: '........x.......', hat: 'x.x.x.xxx.x.xxxx' },
  { name: 'Toms, building', kick: 'x.......x.......', snare: '....x.......x...', tom: '..........xxxxxx', cymbal: 'x...............' },
  { name: 'Waltz', kick: 'x...........', snare: '....x...x...', hat: 'x...x...x...' },
];

/** The hits of a pattern repeated over [from, to), bar by bar; a bar of another length repeats or cuts it. */
export function patternHits(pattern, from, to, beatsPerBar) {
  const hits = [];
  const steps = beatsPerBar / STEP;
  for (let step = Math.ceil(from / STEP - 1e-6) + 0; step * STEP < to - 1e-6; step++) {
    const inBar = ((step % steps) + steps) % steps;
    for (const drum of DRUMS) {
      const row = pattern[drum];
      if (row?.[inBar % row.length] === 'x') hits.push({ id: newId('h'), time: step * STEP, drum });
    }
  }
  return hits;
}

/** Hits with those in [from, to) replaced. */
export const replaceWithin = (hits, added, from, to) =>
  [...hits.filter(({ time }) => time < from - 1e-6 || time >= to - 1e-6), ...added].sort((a, b) => a.time - b.time);

/**
 * Off-beats moved to `ratio` of their pair (0.5 straight, 2/3 triplets), pairs of `pair` beats: 1 for swung
 * eighths, 0.5 for swung sixteenths. What lies near the middle of a pair is its off-beat, swung before or not.
 */
export function swung(hits, ratio, pair = 1) {
  return hits.map((hit) => {
    const place = hit.time / pair;
    const phase = place - Math.floor(place + 1e-6);
    return phase > 0.45 && phase < 0.7 ? tidy({ ...hit, time: (Math.floor(place + 1e-6) + ratio) * pair }) : hit;
  });
}

/** The hit of a drum in the step that begins at `beats`, or undefined. */
export const hitAt = (hits, beats, drum) =>
  hits.find((hit) => hit.drum === drum && hit.time > beats - 1e-6 && hit.time < beats + STEP - 1e-6);

/**
 * Which drums the models are told of, latent frame by frame: a bit per drum, in the order of DRUMS. The first
 * of `count` frames begins at `start` seconds. As `lanes_from` in `engines/controls.py` has it.
 */
export function frames(hits, grid, frameRate, start, count) {
  const out = new Uint8Array(count);
  for (const { time, drum } of hits) {
    const seconds = beatsToSeconds(grid, time);
    const frame = Math.floor((seconds - start) * frameRate + 1e-6);
    if (seconds >= 0 && frame >= 0 && frame < count) out[frame] |= 1 << DRUMS.indexOf(drum);
  }
  return out;
}
