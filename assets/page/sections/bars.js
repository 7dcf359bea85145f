/**
 * Sections {id, name, start, end}: named bars, half-open, counted from 0 at the grid's beat 0. Pure functions that say
 * what the page shows before the server has answered; `editor/project/sections.py` does the same.
 */

import { newId } from '../music/cells.js';
import { beatsToSeconds, round, secondsToBeats } from '../music/time.js';

const LEAST = 1e-3; // share of a bar that counts as one

/** The bars of the timeline, half-open: from the one in which it begins to the one in which it ends. */
export function barsOf(grid, duration) {
  const at = (seconds) => secondsToBeats(grid, seconds) / grid.beats_per_bar;
  return { first: Math.floor(at(0) + LEAST), last: Math.max(1, Math.ceil(at(duration) - LEAST)) };
}

/** A bar's beginning in seconds. */
export const barTime = (grid, bar) => beatsToSeconds(grid, bar * grid.beats_per_bar);

/** The bar line that is nearest to a time. */
export const nearestBar = (grid, seconds) => Math.round(secondsToBeats(grid, seconds) / grid.beats_per_bar);

/** Where a section lies on the clip, in seconds. */
export const regionOf = (grid, { start, end }, duration) => ({
  start: round(Math.max(0, barTime(grid, start))), end: round(Math.min(duration, barTime(grid, end))),
});

/** The sections with one of them put in its place: it cuts what it covers. */
export function placed(sections, section) {
  const kept = [section];
  for (const other of sections) {
    if (other.id === section.id) continue;
    const parts = [{ ...other, end: Math.min(other.end, section.start) }, { ...other, start: Math.max(other.start, section.end) }]
      .filter(({ start, end }) => end > start);
    if (parts.length === 2) parts[1].id = newId('b');
    kept.push(...parts);
  }
  return kept.sort((a, b) => a.start - b.start);
}

/** A section cut in two of the same name before a bar inside it; null where the bar is not inside. */
export function split(sections, section, bar, id) {
  if (bar <= section.start || bar >= section.end) return null;
  return placed(placed(sections, { ...section, end: bar }), { ...section, id, start: bar });
}

/** Sections with pieces of the timeline {start, end, copy} in a new order; `id` is that of a copy. As `arrangement.py`. */
function arranged(sections, pieces, id) {
  const used = new Set();
  let at = pieces[0].end;
  const shifted = pieces.map((one, i) => {
    const shift = i ? at - one.start : 0;
    if (i) at += one.end - one.start;
    return { ...one, shift };
  });
  const found = [];
  for (const { start, end, copy, shift } of shifted.sort((a, b) => Number(a.copy) - Number(b.copy))) {
    for (const section of sections) {
      const part = { start: Math.max(section.start, start), end: Math.min(section.end, end) };
      if (part.end <= part.start) continue;
      const whole = copy && part.start === start && part.end === end;
      found.push({ ...section, id: used.has(section.id) ? (whole && id) || newId('b') : section.id, start: part.start + shift, end: part.end + shift });
      used.add(section.id);
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

const piece = (start, end, copy = false) => ({ start, end, copy });

/** The sections with one of them put before bar `at` of those that are there now. */
export function moved(sections, { start, end }, at) {
  const between = at > end ? [piece(-Infinity, start), piece(end, at), piece(start, end), piece(at, Infinity)]
    : [piece(-Infinity, at), piece(start, end), piece(at, start), piece(end, Infinity)];
  return arranged(sections, between, '');
}

/** The sections with one of them once more, before bar `at`; `id` is the copy's. */
export const copied = (sections, { start, end }, at, id) => arranged(sections, [piece(-Infinity, at), piece(start, end, true), piece(at, Infinity)], id);

/** The bars that a new section takes: those of the span, else what follows the last section, else all; null where there is no room. */
export function newBars(sections, grid, region, duration) {
  const { first, last } = barsOf(grid, duration);
  const within = (bar) => Math.min(last, Math.max(first, bar));
  if (region) {
    const start = Math.min(within(nearestBar(grid, region.start)), last - 1);
    return { start, end: Math.max(start + 1, within(nearestBar(grid, region.end))) };
  }
  const start = Math.max(first, sections.at(-1)?.end ?? first);
  return start < last ? { start, end: last } : null;
}

/** "4 bars" */
export const countBars = ({ start, end }) => `${end - start} bar${end - start === 1 ? '' : 's'}`;

/** "bars 7 to 10", as one counts them. */
export const barsWords = ({ start, end }) => (end - start === 1 ? `bar ${start + 1}` : `bars ${start + 1} to ${end}`).replaceAll('-', '−');
