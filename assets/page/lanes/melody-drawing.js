/**
 * What the melody lane draws on its canvases: notes, the names of the Cs, what was heard again in a take, the
 * keyboard. Functions of the lane, its pen and the theme's colours; they change nothing.
 */

import { apart, inside as within } from '../parts/labels.js';
import { secondsToBeats } from '../music/time.js';
import { HIGH, LOW, firstAfter, pitchName } from '../music/notes.js';
import { boxOf, prepare } from '../parts/wave.js';
import { desk } from '../store/desk.js';
import { numberOf } from '../takes/take-words.js';

const BLACK = new Set([1, 3, 6, 8, 10]);

/** The notes in view; those in the span in its colour. */
export function drawNotes(lane, c, colour, width) {
  const notes = lane.items;
  const { view, region } = lane.timeline;
  const { grid } = desk.doc;
  const from = secondsToBeats(grid, view.start);
  const to = secondsToBeats(grid, view.start + width / view.pps);
  const tall = Math.max(6, lane.row - 1);
  const inside = region && [secondsToBeats(grid, region.start), secondsToBeats(grid, region.end)];
  const { top, row } = lane;
  const [zero, beat] = [lane.x(0), lane.x(1) - lane.x(0)];
  const boxes = [];
  for (let i = firstAfter(notes, from); i < notes.length && notes[i].start < to; i++) {
    const { id, start, end, pitch } = notes[i];
    const y = (top - pitch - 1) * row + (row - tall) / 2;
    boxes.push({ id, x: zero + start * beat, y, wide: Math.max(2, (end - start) * beat - 1), tall, inside: Boolean(inside && start < inside[1] && end > inside[0]) });
  }
  lane.drawBoxes(c, colour, boxes);
}

/** The Cs by name, on a ground of their own: a note may lie under them. */
export function drawNames(lane, c, colour, end) {
  c.font = `400 11px ${colour('font')}`;
  c.textBaseline = 'bottom';
  for (let pitch = LOW; pitch <= HIGH; pitch++) {
    const foot = lane.y(pitch) + lane.row;
    if (pitch % 12 || foot < 12 || foot > lane.height) continue;
    c.fillStyle = colour('row');
    c.fillRect(end - 28, foot - 13, 24, 12);
    c.fillStyle = colour('faint');
    c.fillText(pitchName(pitch), end - 24, foot);
  }
}

/** What was heard in the take that plays, dashed, and how far each bar agrees. */
export function drawGhost(lane, c, colour, width) {
  const { track, doc, ghost } = desk;
  const heard = ghost.melody(track, doc.grid);
  if (!ghost.of(track)) return;
  c.strokeStyle = colour('text');
  c.setLineDash([3, 2]);
  for (const { start, end, pitch } of heard) {
    const x = lane.x(start);
    if (x > width || lane.x(end) < 0) continue;
    c.strokeRect(x + 0.5, lane.y(pitch) + 0.5, Math.max(2, lane.x(end) - x - 1), Math.max(5, lane.row - 2));
  }
  c.setLineDash([]);
  c.fillStyle = colour('muted');
  c.font = `400 11px ${colour('font')}`;
  c.textBaseline = 'alphabetic';
  const from = secondsToBeats(doc.grid, track.region?.start ?? 0);
  const words = `${heard.length ? 'Dashed: heard' : 'No melody heard'} in take ${numberOf(track)}`;
  c.fillText(words, within(lane.x(from) + 8, c.measureText(words).width, width), lane.height - 6);
  const shares = [...ghost.bars(track, doc.melody, doc.grid)].map(([bar, share]) => {
    const figure = `${Math.round(share * 100)} %`;
    return { figure, x: Math.max(lane.x(from), lane.x(bar * doc.grid.beats_per_bar)) + 8, wide: c.measureText(figure).width };
  });
  for (const { figure, x } of apart(shares, width)) c.fillText(figure, x, 14);
}

/** The keyboard at the left edge, what is chosen marked on it. */
export function drawKeys(lane, colour, scale) {
  const { c, width, height } = prepare(lane.keys, boxOf(lane.keys));
  const sounding = new Set(lane.chosen.map(({ pitch }) => pitch));
  for (let pitch = Math.max(LOW, Math.floor(lane.top - lane.rows) - 1); pitch <= Math.min(HIGH, Math.ceil(lane.top)); pitch++) {
    c.fillStyle = colour(sounding.has(pitch) ? 'text' : BLACK.has(pitch % 12) ? 'line' : scale.has(pitch % 12) ? 'faint' : 'line2');
    c.fillRect(0, lane.y(pitch) + 0.5, BLACK.has(pitch % 12) ? width * 0.6 : width, lane.row - 1);
  }
  if (height < 1) lane.keys.hidden = true;
}
