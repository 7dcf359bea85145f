/** What the lanes sound like, as a list of events in seconds. Pure; knows no Web Audio. */

import { pitchesOf } from './chords.js';
import { beatsToSeconds, secondsToBeats } from './time.js';

export const frequency = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

/** What sounds already at a time: chords and notes that began before it, as events from there to their end. */
export function held(doc, at, { lanes }) {
  const beat = secondsToBeats(doc.grid, at);
  const over = ({ start, end }) => start < beat - 1e-6 && end > beat + 0.05;
  const rest = ({ end }) => ({ at, length: ((end - beat) * 60) / doc.grid.bpm });
  const chords = lanes.has('chords') ? doc.chords.filter(over) : [];
  const melody = lanes.has('melody') ? doc.melody.filter(over) : [];
  return [...chords.map((cell) => ({ ...rest(cell), kind: 'chord', pitches: pitchesOf(cell.symbol) })),
    ...melody.map((note) => ({ ...rest(note), kind: 'note', pitches: [note.pitch] }))];
}

/** What begins in [from, to): [{at, length, kind, pitches | drum}], seconds, sorted. */
export function events(doc, from, to, { lanes, click }) {
  const { grid } = doc;
  const out = [];
  const add = (beats, event) => {
    const at = beatsToSeconds(grid, beats);
    if (at >= from && at < to) out.push({ at, ...event });
  };
  const seconds = (beats) => (beats * 60) / grid.bpm;
  if (lanes.has('chords')) {
    for (const { start, end, symbol } of doc.chords) add(start, { kind: 'chord', length: seconds(end - start), pitches: pitchesOf(symbol) });
  }
  if (lanes.has('melody')) {
    for (const { start, end, pitch } of doc.melody) add(start, { kind: 'note', length: seconds(end - start), pitches: [pitch] });
  }
  if (lanes.has('drums')) for (const { time, drum } of doc.drums) add(time, { kind: 'drum', drum });
  if (click) {
    const first = Math.ceil(secondsToBeats(grid, from) - 1e-9);
    for (let beat = first; beatsToSeconds(grid, beat) < to; beat++) {
      add(beat, { kind: 'click', accent: ((beat % grid.beats_per_bar) + grid.beats_per_bar) % grid.beats_per_bar === 0 });
    }
  }
  return out.sort((a, b) => a.at - b.at);
}
