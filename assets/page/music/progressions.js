/** Chord progressions by their musical names, one chord a bar, written in degrees of the key. Pure. */

import { newId } from './cells.js';
import { fromRoman } from './chords.js';

export const PROGRESSIONS = [
  { name: 'Pop', mode: 'major', degrees: 'I V vi IV' },
  { name: 'Fifties', mode: 'major', degrees: 'I vi IV V' },
  { name: 'Sensitive', mode: 'major', degrees: 'vi IV I V' },
  { name: 'Jazz cadence', mode: 'major', degrees: 'iim7 V7 Imaj7 Imaj7' },
  { name: 'Turnaround', mode: 'major', degrees: 'Imaj7 vim7 iim7 V7' },
  { name: 'Canon', mode: 'major', degrees: 'I V vi iii IV I IV V' },
  { name: 'Twelve-bar blues', mode: 'major', degrees: 'I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7' },
  { name: 'Mixolydian', mode: 'major', degrees: 'I bVII IV I' },
  { name: 'Pop', mode: 'minor', degrees: 'i VI III VII' },
  { name: 'Andalusian cadence', mode: 'minor', degrees: 'i VII VI V' },
  { name: 'Minor cadence', mode: 'minor', degrees: 'iim7b5 V7 im7 im7' },
  { name: 'Minor blues', mode: 'minor', degrees: 'im7 im7 im7 im7 ivm7 ivm7 im7 im7 VI7 V7 im7 V7' },
  { name: 'Circle of fifths', mode: 'minor', degrees: 'im7 ivm7 VII7 IIImaj7 VImaj7 iim7b5 V7 im7' },
  { name: 'Dorian', mode: 'minor', degrees: 'i IV i IV' },
];

/** Those of a key's mode: [{name, degrees, symbols}]. */
export const progressionsIn = (key) => PROGRESSIONS.filter(({ mode }) => key.endsWith(mode))
  .map((progression) => ({ ...progression, symbols: progression.degrees.split(' ').map((degree) => fromRoman(degree, key)) }));

/** Cells of a progression over [from, to) beats, one chord a bar, from its beginning again when it is through. */
export function progressionCells(symbols, from, to, beatsPerBar) {
  const cells = [];
  let start = from;
  for (let index = 0; start < to - 1e-6; index++) {
    const end = Math.min(to, (Math.floor(start / beatsPerBar + 1e-6) + 1) * beatsPerBar);
    cells.push({ id: newId('c'), start, end, symbol: symbols[index % symbols.length] });
    start = end;
  }
  return cells;
}
