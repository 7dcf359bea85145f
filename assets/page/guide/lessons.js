/** The short guide: a first edit step by step, and what one asks next. */

import { html } from '../parts/markup.js';

const steps = [
  'Drop a recording, open an example, or describe a clip and Generate. Chords, melody and drums appear on the lanes.',
  'Drag over the audio: the yellow span is what will be re-made. Space plays, L loops the span.',
  'Say what it should become (“flute, no drums”), and change players, chords, melody or drums on the lanes if you like.',
  'Press Inpaint. One engine answers first, the others while you listen; 0, 1, 2, 3 switch between original and takes.',
  'K keeps the take you hear, Ctrl Z takes it back, Export saves audio, stems, MIDI or the whole project.',
];

const questions = [
  ['Blend in or Change?', 'Blend in begins from the music around the span: the smoothest seams, but new words count for little. Change begins from nothing, so words and lanes decide. The page picks, says why, and U turns it over.'],
  ['Which engine?', 'AR writes from left to right: rhythm, phrases that lead somewhere. FM was trained to fill spans: smooth edges, lanes as drawn. ZS is the same network steered to fit: textures. Fix it tries them and shows the best within its time.'],
  ['What do the marks on a take mean?', '✓ as asked, ◐ partly, ⚠ not. The line below tells how the two seams sound. Both are heard by the machine, so trust your ears first.'],
  ['Several spans?', 'Shift-drag adds one. What you type while a span is active is its own; ⇧A re-makes all of them in one pass.'],
  ['What is saved?', 'Every change, at once, undo included. Projects stay on this machine. Nothing is sent anywhere.'],
];

export const GUIDE = html`<ol>${steps.map((words) => html`<li>${words}</li>`)}</ol>${questions.map(([title, words]) => html`<h4>${title}</h4><p>${words}</p>`)}`;
