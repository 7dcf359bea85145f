/**
 * Melody notes {id, start, end, pitch}: one voice, MIDI 43-95, times in beats. Pure functions. Knows no DOM.
 */

import { KEYS, scaleOf } from './chords.js';

export const LOW = 43; // G2
export const HIGH = 95; // B6
const SHARPS = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];

export const inRange = (pitch) => Math.min(HIGH, Math.max(LOW, pitch));

/** 60 -> "C4" */
export const pitchName = (pitch) => `${SHARPS[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/** Notes moved by semitones; all stay where one of them would leave the models' range. */
export function transposed(notes, semitones) {
  const fits = notes.every(({ pitch }) => inRange(pitch + semitones) === pitch + semitones);
  return fits ? notes.map((note) => ({ ...note, pitch: note.pitch + semitones })) : notes;
}

/** How far a group can be moved towards `semitones` inside the models' range. */
export function pitchWithin(notes, semitones) {
  const pitches = notes.map(({ pitch }) => pitch);
  return Math.max(LOW - Math.min(...pitches), Math.min(semitones, HIGH - Math.max(...pitches)));
}

/** Each note on the nearest pitch of the key; of two equally near the lower. */
export function toKey(notes, key) {
  const scale = scaleOf(key);
  return notes.map((note) => {
    const near = [0, -1, 1, -2, 2].map((step) => note.pitch + step).find((pitch) => scale.has(pitch % 12) && inRange(pitch) === pitch);
    return { ...note, pitch: near ?? note.pitch };
  });
}

/** The words under the lane's name: whether the line fits the key. */
export function fitWords(notes, key) {
  if (!notes.length) return 'None yet';
  const scale = scaleOf(key);
  const outside = notes.filter(({ pitch }) => !scale.has(pitch % 12)).length;
  return outside ? `${outside} of ${notes.length} outside ${key}` : `Fits ${key}`;
}

const outsideOf = (notes, key) => {
  const scale = scaleOf(key);
  return notes.filter(({ pitch }) => !scale.has(pitch % 12)).length;
};

/** A key that notes fit far better than `key`, "" where there is none; as the server finds it (`harmony.fitting_key`). */
export function fittingKey(notes, key) {
  const now = outsideOf(notes, key);
  if (now < 3 || now < 0.1 * notes.length) return '';
  const home = new Array(12).fill(0);
  for (const { pitch, start, end } of notes) home[pitch % 12] += end - start;
  const ranked = KEYS.map((name, i) => ({ name, outside: outsideOf(notes, name), home: home[i % 12] }))
    .sort((a, b) => a.outside - b.outside || b.home - a.home);
  return 2 * ranked[0].outside <= now ? ranked[0].name : '';
}

/** Index of the first note that ends after `beats`: notes are in order, so drawing may begin there. */
export function firstAfter(notes, beats) {
  let [low, high] = [0, notes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (notes[middle].end <= beats) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Share of each bar's drawn time that a re-detected line repeats within half a semitone: Map(bar -> 0..1). */
export function agreement(drawn, heard, beatsPerBar) {
  const bars = new Map();
  for (const note of drawn) {
    for (let bar = Math.floor(note.start / beatsPerBar); bar * beatsPerBar < note.end - 1e-9; bar++) {
      const from = Math.max(note.start, bar * beatsPerBar);
      const to = Math.min(note.end, (bar + 1) * beatsPerBar);
      const same = heard.filter(({ pitch }) => pitch === note.pitch)
        .reduce((sum, other) => sum + Math.max(0, Math.min(to, other.end) - Math.max(from, other.start)), 0);
      const [hit, all] = bars.get(bar) ?? [0, 0];
      bars.set(bar, [hit + same, all + to - from]);
    }
  }
  return new Map([...bars].map(([bar, [hit, all]]) => [bar, hit / all]));
}
