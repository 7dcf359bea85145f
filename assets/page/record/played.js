/**
 * What was played on a MIDI keyboard as objects of a lane: one voice of notes, or drum hits by General MIDI's keys.
 * Times in beats. Pure functions.
 */

import { newId, quantised, tidy } from '../music/cells.js';
import { HIGH, LOW } from '../music/notes.js';

const SIXTEENTH = 0.25; // beats that all snaps to when it is done
const MIDDLE_C = 60;

/** General MIDI percussion keys of the five drums, as `editor/project/lanes.py` reads them. */
export const GM_DRUMS = Object.fromEntries(Object.entries({
  kick: [35, 36], snare: [37, 38, 39, 40], hat: [42, 44, 46, 22, 26], tom: [41, 43, 45, 47, 48, 50, 58], cymbal: [49, 51, 52, 53, 55, 57, 59],
}).flatMap(([drum, keys]) => keys.map((key) => [key, drum])));

/** {on, pitch, velocity} of a MIDI message, null for any other than a key's. A key struck with no force is let go. */
export function keyOf([status = 0, pitch = 0, velocity = 0] = []) {
  const kind = status & 0xf0;
  if (kind !== 0x90 && kind !== 0x80) return null;
  return { on: kind === 0x90 && velocity > 0, pitch, velocity };
}

/** A pitch in the octave that the lane has. */
function within(pitch) {
  let found = pitch;
  while (found < LOW) found += 12;
  while (found > HIGH) found -= 12;
  return found;
}

/** Keys {on, pitch, time} in order, the last ones held until `end` -> notes of one voice, snapped. */
export function notesOf(keys, end) {
  const notes = [];
  let sounding = null;
  const close = (time) => {
    if (sounding) notes.push({ ...sounding, end: Math.max(time, sounding.start + SIXTEENTH / 2) });
    sounding = null;
  };
  for (const { on, pitch, time } of keys) {
    if (on) {
      close(time);
      if (time < end) sounding = { id: newId('n'), start: Math.max(0, time), pitch: within(pitch) };
    } else if (sounding?.pitch === within(pitch)) close(time);
  }
  close(end);
  return quantised(notes, SIXTEENTH)
    .map((note, i, all) => (all[i + 1] && all[i + 1].start < note.end ? { ...note, end: all[i + 1].start } : note))
    .filter((note) => note.end - note.start > 1e-6)
    .map(tidy);
}

/** Keys {on, pitch, time} -> hits, snapped; a keyboard's own keys from middle C on are the five drums, too. */
export function hitsOf(keys, end) {
  const hits = keys.filter(({ on, time }) => on && time < end)
    .map(({ pitch, time }) => ({ id: newId('h'), time: Math.max(0, time), drum: drumOf(pitch) }))
    .filter(({ drum }) => drum);
  const places = new Set();
  return quantised(hits, SIXTEENTH).filter(({ time, drum }) => !places.has(`${time} ${drum}`) && places.add(`${time} ${drum}`)).map(tidy);
}

/** The drum of a key: General MIDI's, else the white keys from middle C on, from kick to cymbal. */
export function drumOf(pitch) {
  const white = { 0: 'kick', 2: 'snare', 4: 'hat', 5: 'tom', 7: 'cymbal' };
  return GM_DRUMS[pitch] ?? (pitch >= MIDDLE_C ? white[pitch % 12] : undefined) ?? null;
}
