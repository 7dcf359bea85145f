/**
 * A take's waveform: the clip outside the span, the take inside it in its engine's colour, the span's borders.
 * A view is {start: seconds, pps: pixels per second}.
 */

import { desk } from '../store/desk.js';
import { engineOf } from '../store/engines.js';
import { loudest } from '../sound/peaks.js';
import { timeToX } from '../music/time.js';
import { drawWave, prepare } from '../parts/wave.js';

const NOTHING = { length: 0, levels: [{ size: 64, min: [], max: [] }] };

/** The colour of what made a track. */
export const inkOf = (track, colour) => colour(track.kind === 'original' ? 'wave' : engineOf(track.engine).token);

/** With `neutral` every take has the clip's own colour: nobody shall know who made it. */
export function drawTrack(canvas, track, view, colour, { neutral = false } = {}) {
  const { c, width, height } = prepare(canvas);
  const base = desk.pyramid('base');
  const own = desk.pyramid(track.id) ?? (track.kind === 'original' && track.kept ? base : null);
  const gain = Math.min(8, 0.92 / Math.max(loudest(base ?? own ?? NOTHING), 0.05));
  const ink = neutral ? colour('wave') : inkOf(track, colour);
  const shape = { middle: height / 2, half: height / 2 - 2, gain };
  const sheet = { c, width, height, view, colour, ink, shape, base, own };
  if (track.region) drawSpans(sheet, track);
  else drawWhole(sheet, track);
}

/** A clip of its own; of a loop what was re-made in the engine's colour, and the rest as it was. */
function drawWhole({ c, width, height, view, colour, ink, shape, own }, track) {
  const [left, right] = joinOf(track);
  const parts = left === null ? [[0, width, ink]]
    : [[0, timeToX(view, left), ink], [timeToX(view, left), timeToX(view, right), colour('wave')], [timeToX(view, right), width, ink]];
  for (const [from, to, part] of parts) drawWave(c, own, view, { ...shape, from, to, colour: part });
  if (track.state !== 'running') return;
  drawReached(c, drawPeaks(c, track, { from: 0, room: width, view, height, gain: shape.gain, ink }), height, ink);
}

/** The clip around the spans, the take inside them. */
function drawSpans({ c, width, height, view, colour, ink, shape, base, own }, track) {
  const spans = spansOf(track).map(({ start, end }) => [timeToX(view, start), timeToX(view, end)]);
  c.fillStyle = colour('span-tint');
  for (const [left, right] of spans) c.fillRect(left, 0, right - left, height);
  const around = track.extends ? own ?? base : base ?? own; // a clip that was extended is there whole
  let kept = 0; // up to where it is drawn
  for (const [left, right] of spans) {
    drawWave(c, around, view, { ...shape, from: kept, to: left, colour: colour('wave'), alpha: 0.5 });
    drawWave(c, own, view, { ...shape, from: left, to: right, colour: ink });
    kept = right;
  }
  drawWave(c, around, view, { ...shape, from: kept, to: width, colour: colour('wave'), alpha: 0.5 });
  if (track.state === 'running' || track.state === 'waiting') {
    c.fillStyle = colour('line2');
    for (const [left, right] of spans) c.fillRect(left, height / 2, right - left, 1);
  }
  if (track.state === 'running') {
    const [from, to] = [timeToX(view, track.region.start), timeToX(view, track.region.end)];
    drawReached(c, from + drawPeaks(c, track, { from, room: to - from, view, height, gain: shape.gain, ink }), height, ink);
  }
  for (const span of spansOf(track)) drawBorders(c, span, view, height, colour);
}

/** The spans of a track or a group: one, or all that were re-made at once. */
export const spansOf = ({ region, spans }) => (spans?.length ? spans : [region]);

/** Up to where a loop was re-made at its beginning and from where at its end, [null, null] for another clip. */
function joinOf(track) {
  const times = track.extends === 'loop' && track.kind === 'take' ? track.seams.map((seam) => seam.time) : [];
  return times.length === 2 ? [Math.min(...times), Math.max(...times)] : [null, null];
}

/**
 * The sound of a run so far, growing from the left; gives how wide that is, or how far the run has come where
 * nothing can be heard of it yet. A clip of its own fills the room once it is whole.
 */
export function drawPeaks(c, track, { from, room, view, height, gain, ink }) {
  const { peaks, peak_seconds: step } = track;
  if (!peaks?.length) return room * track.progress;
  const wide = track.region ? step * view.pps : (room * Math.max(track.progress, 1e-3)) / peaks.length;
  c.fillStyle = ink;
  for (let x = 0, last = -1; x < Math.min(room, peaks.length * wide); x++) {
    const at = Math.min(peaks.length - 1, Math.floor(x / wide));
    const loud = Math.max(...peaks.slice(Math.min(at, last + 1), at + 1));
    const half = Math.min(height / 2 - 2, Math.max(0.5, (loud / 100) * gain * (height / 2 - 2)));
    c.fillRect(from + x, height / 2 - half, 1, 2 * half);
    last = at;
  }
  return Math.min(room, peaks.length * wide);
}

/** How far a run has come. */
function drawReached(c, x, height, ink) {
  c.fillStyle = ink;
  c.fillRect(x - 1, 2, 2, height - 4);
}

/** The two borders of a span. */
export function drawBorders(c, region, view, height, colour) {
  c.fillStyle = colour('span-edge');
  for (const time of [region.start, region.end]) c.fillRect(timeToX(view, time) - 1, 0, 2, height);
}
