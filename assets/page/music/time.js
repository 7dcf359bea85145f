/**
 * Time <-> pixels, snapping, ruler ticks and the words for times.
 * Units: seconds on the clip's clock, beats on the grid {bpm, beats_per_bar, offset},
 * CSS pixels from the lane's left edge. A view is {start: seconds, pps: pixels per second}.
 * Knows no DOM.
 */

export const timeToX = (view, seconds) => (seconds - view.start) * view.pps;
export const xToTime = (view, x) => view.start + x / view.pps;

export const secondsToBeats = (grid, seconds) => ((seconds - grid.offset) * grid.bpm) / 60;
export const beatsToSeconds = (grid, beats) => grid.offset + (beats * 60) / grid.bpm;

export const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

const MAX_PPS = 480_000; // pixels per second: ten pixels for a sample at 48 kHz

/** The whole clip in `width` pixels. */
export function fitView(duration, width) {
  return { start: 0, pps: Math.max(width, 1) / Math.max(duration, 0.1) };
}

/** Keeps a view inside the clip and no wider than it. */
export function clampView(view, duration, width) {
  const least = fitView(duration, width).pps;
  const pps = clamp(view.pps, least, Math.max(least, MAX_PPS));
  return { start: clamp(view.start, 0, duration - width / pps), pps };
}

/** Zooms by `factor` so that the time under pixel `x` stays there. */
export function zoomAt(view, factor, x, duration, width) {
  const anchor = xToTime(view, x);
  const pps = clampView({ start: 0, pps: view.pps * factor }, duration, width).pps;
  return clampView({ start: anchor - x / pps, pps }, duration, width);
}

/** Snap modes in menu order; `beats` is null where the mode is not musical. */
export const SNAPS = [
  { id: 'bar', name: 'bar' },
  { id: 'beat', name: 'beat' },
  { id: 'half', name: '1/2 beat' },
  { id: 'quarter', name: '1/4 beat' },
  { id: 'frame', name: 'model frame' },
  { id: 'off', name: 'off' },
];

/** The step of a snap mode in seconds, 0 for none. */
export function snapStep(mode, grid, frameRate) {
  const beat = 60 / grid.bpm;
  return { bar: beat * grid.beats_per_bar, beat, half: beat / 2, quarter: beat / 4, frame: 1 / frameRate, off: 0 }[mode] ?? 0;
}

/** The nearest snap point to a time, in seconds, never outside [0, duration]. */
export function snapTime(seconds, mode, grid, frameRate, duration = Infinity) {
  const step = snapStep(mode, grid, frameRate);
  if (!step) return clamp(seconds, 0, duration);
  const origin = mode === 'frame' ? 0 : grid.offset;
  const snapped = origin + Math.round((seconds - origin) / step) * step;
  // The clip's own end is a snap point too: a last bar is seldom whole.
  const nearest = Math.abs(duration - seconds) < Math.abs(snapped - seconds) ? duration : snapped;
  return clamp(round(nearest), 0, duration);
}

/** Rounds away binary noise: 10 microseconds are less than half a sample at 48 kHz. */
export const round = (seconds) => Math.round(seconds * 1e5) / 1e5;

/** A span from two drag points, snapped, in order, at least one step (or 80 ms = two frames) long. */
export function spanFrom(a, b, mode, grid, frameRate, duration) {
  const least = Math.max(snapStep(mode, grid, frameRate), 2 / frameRate);
  const start = snapTime(Math.min(a, b), mode, grid, frameRate, duration);
  const end = snapTime(Math.max(a, b), mode, grid, frameRate, duration);
  if (end - start >= least - 1e-6) return { start, end };
  const stretched = Math.min(round(start + least), duration);
  return { start: Math.max(0, round(Math.min(start, stretched - least))), end: stretched };
}

/** Bar and beat of a time, both from 1. */
export function barBeat(grid, seconds) {
  const beats = Math.floor(secondsToBeats(grid, seconds) + 1e-4);
  const bar = Math.floor(beats / grid.beats_per_bar);
  return { bar: bar + 1, beat: beats - bar * grid.beats_per_bar + 1 };
}

export function barWords(grid, seconds) {
  const { bar, beat } = barBeat(grid, seconds);
  return `${bar}.${beat}`.replace('-', '−');
}

/**
 * Ruler ticks inside a view: [{time, bar, beat, label}]. Bars are thinned to powers of two so that
 * labels stand at least 64 px apart; beats appear once they are 10 px apart.
 */
export function ticks(grid, view, width, duration) {
  const beatPx = (60 / grid.bpm) * view.pps;
  const barPx = beatPx * grid.beats_per_bar;
  let stride = 1;
  while (barPx * stride < 64) stride *= 2;
  const first = Math.floor(secondsToBeats(grid, view.start));
  const last = Math.ceil(secondsToBeats(grid, Math.min(view.start + width / view.pps, duration)));
  const out = [];
  for (let beats = first; beats <= last; beats++) {
    const time = beatsToSeconds(grid, beats);
    if (time < Math.min(0, view.start) - 1e-9 || time > duration + 1e-9) continue;
    const bar = Math.floor(beats / grid.beats_per_bar);
    const beat = beats - bar * grid.beats_per_bar;
    if (beat === 0 && bar % stride === 0) out.push({ time, bar: bar + 1, beat: 1, label: true });
    else if (beat === 0 ? barPx >= 10 : beatPx >= 10) out.push({ time, bar: bar + 1, beat: beat + 1, label: false });
  }
  return out;
}

/**
 * Ticks between the beats of a deep zoom, at round decimals of a second: [{time, label}], labels at least
 * 64 px apart and none where a bar's own stands.
 */
export function fineTicks(view, width, duration, grid) {
  if ((60 / grid.bpm) * view.pps < 240) return [];
  const step = [1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 5e-4, 2e-4, 1e-4].findLast((seconds) => seconds * view.pps >= 64) ?? 1;
  const bar = (60 / grid.bpm) * grid.beats_per_bar;
  const out = [];
  for (let i = Math.max(0, Math.floor(view.start / step)); i * step <= Math.min(duration, view.start + width / view.pps); i++) {
    const time = i * step;
    const near = Math.abs((((time - grid.offset) % bar) + bar * 1.5) % bar - bar / 2) * view.pps;
    out.push({ time, label: near < 84 ? '' : `${Number(time.toFixed(4))} s` });
  }
  return out;
}

export const formatSeconds = (seconds) => seconds.toFixed(2).replace(/^-(?=.*[1-9])/, '−').replace('-', '');
export const formatSpan = ({ start, end }) => `${formatSeconds(start)}–${formatSeconds(end)} s`;

/** Seconds without needless zeros, for the ruler: 2 s, 2.5 s. */
export const formatShort = (seconds) => `${String(+seconds.toFixed(2)).replace('-', '−')} s`;

/** 64.63 -> "1:04.63"; before an intro is kept it lies before 0: "−0:02.50" */
export function formatClock(seconds) {
  if (seconds < -0.005) return `−${formatClock(-seconds)}`;
  const hundredths = Math.round(Math.max(0, seconds) * 100);
  const minutes = Math.floor(hundredths / 6000);
  const rest = hundredths - minutes * 6000;
  return `${minutes}:${String(Math.floor(rest / 100)).padStart(2, '0')}.${String(rest % 100).padStart(2, '0')}`;
}

/** 32.4 -> "0:32" */
export const formatLength = (seconds) => formatClock(seconds).slice(0, -3);

/**
 * The stretch that the models hear around a span, in latent frames that begin with the span: at most `window`
 * seconds, the span in the middle where the clip allows it. The same count as in `engines/window.py`.
 */
export function heard(region, duration, window, rate) {
  const whole = (seconds) => Math.max(0, Math.floor(seconds * rate + 1e-6));
  const room = Math.round(window * rate);
  const length = Math.max(1, Math.ceil((region.end - region.start) * rate - 1e-6));
  const before = whole(region.start);
  const after = Math.max(0, whole(duration - region.start) - length);
  const lead = Math.min(before, Math.max(Math.floor((room - length) / 2), room - length - after));
  const frames = Math.min(room, lead + length + after);
  const start = region.start - lead / rate;
  return { start, end: start + frames / rate, frames };
}
