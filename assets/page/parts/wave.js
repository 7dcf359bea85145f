/**
 * Draws waveforms on a canvas. A stretch is {from, to} in pixels with its colour; columns are read
 * from a min/max pyramid. Own drawing, because one waveform here changes colour at the span's borders,
 * mixes two recordings (the clip outside, a take inside) and appears in eight places at once.
 */

import { levelOf, rangeOf } from '../sound/peaks.js';

const boxes = new WeakMap(); // element -> {width, height}
const watcher = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    boxes.set(target, { width: Math.round(contentRect.width), height: Math.round(contentRect.height) });
    target.dispatchEvent(new CustomEvent('resized', { bubbles: true, composed: true }));
  }
});

/**
 * Inner size {width, height} of an element without padding, in CSS pixels. It is measured when it changes, and
 * a `resized` event says so: to measure it while drawing would make the browser lay the page out every time.
 */
export function boxOf(element) {
  const known = boxes.get(element);
  if (known?.width && known.height) return known;
  const box = { width: element.clientWidth, height: element.clientHeight };
  if (!known) watcher.observe(element);
  boxes.set(element, box);
  return box;
}

/** Sizes a canvas to its box in device pixels; gives {c, width, height} in CSS pixels, cleared. */
export function prepare(canvas, box = { width: canvas.clientWidth, height: canvas.clientHeight }) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = box;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext('2d');
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  return { c, width, height };
}

/** Colours of the page's tokens as this element sees them; each is asked of the style once. */
export function tokens(element) {
  const style = getComputedStyle(element);
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, style.getPropertyValue(`--${name}`).trim());
    return known.get(name);
  };
}

const BODY = 1.4; // height of the wave's body against its level, so that a steady tone fills its peaks
const PEAK = 0.5; // how much fainter than the body its peaks are

/**
 * Peaks, fainter, and the level as a body in them: attacks stand out from what sounds on. A deep zoom has the line alone.
 * pyramid: {levels, length, rate, start}; view: {start, pps}; draws pixels [from, to) around `middle`
 * with half height `half` for amplitude 1 times `gain`.
 */
export function drawWave(c, pyramid, view, { from, to, middle, half, gain = 1, colour, alpha = 1 }) {
  if (!pyramid) return;
  const perPixel = pyramid.rate / view.pps;
  if (perPixel < 1 && pyramid.channels) return drawSamples(c, pyramid, view, { from, to, middle, half, gain, colour, alpha });
  c.fillStyle = colour;
  const first = Math.max(0, Math.floor(from));
  const columns = [];
  c.globalAlpha = alpha * PEAK;
  for (let x = first; x < to; x++) {
    const sample = (view.start - pyramid.start) * pyramid.rate + x * perPixel;
    if (sample + perPixel < 0 || sample > pyramid.length) continue;
    const [low, high] = rangeOf(pyramid, sample, sample + perPixel);
    const top = middle - Math.min(1, high * gain) * half;
    const bottom = middle - Math.max(-1, low * gain) * half;
    c.fillRect(x, top - 0.4, 1, Math.max(bottom - top + 0.8, 1)); // a thousand of them are quicker than one path
    const body = BODY * levelOf(pyramid, sample, sample + perPixel) * gain * half;
    const upper = Math.max(top, middle - body);
    columns.push(x, upper - 0.4, Math.max(Math.min(bottom, middle + body) - upper + 0.8, 1));
  }
  c.globalAlpha = alpha;
  for (let i = 0; i < columns.length; i += 3) c.fillRect(columns[i], columns[i + 1], 1, columns[i + 2]);
  c.globalAlpha = 1;
}

/** Single samples of the first channel: a line through them, and a dot on each where there is room. */
function drawSamples(c, { channels, rate, start, length }, view, { from, to, middle, half, gain, colour, alpha }) {
  const [data] = channels;
  const wide = view.pps / rate;
  const first = Math.max(0, Math.floor((view.start + Math.max(0, from) / view.pps - start) * rate) - 1);
  const last = Math.min(length - 1, Math.ceil((view.start + to / view.pps - start) * rate) + 1);
  c.save();
  c.beginPath();
  c.rect(from, 0, to - from, middle * 2);
  c.clip();
  [c.globalAlpha, c.strokeStyle, c.fillStyle] = [alpha, colour, colour];
  c.beginPath();
  for (let s = first; s <= last; s++) {
    const x = (s / rate + start - view.start) * view.pps;
    c.lineTo(x, middle - Math.max(-1, Math.min(1, data[s] * gain)) * half);
  }
  c.stroke();
  if (wide >= 5) {
    for (let s = first; s <= last; s++) {
      const x = (s / rate + start - view.start) * view.pps;
      c.fillRect(x - 1.5, middle - Math.max(-1, Math.min(1, data[s] * gain)) * half - 1.5, 3, 3);
    }
  }
  c.restore();
}

/** Diagonal hatch over a box: "not heard". */
export function hatch(c, x, y, width, height, colour) {
  if (width <= 0) return;
  c.save();
  c.beginPath();
  c.rect(x, y, width, height);
  c.clip();
  c.strokeStyle = colour;
  c.lineWidth = 1;
  c.beginPath();
  for (let at = x - height; at < x + width; at += 8) {
    c.moveTo(at, y + height);
    c.lineTo(at + height, y);
  }
  c.stroke();
  c.restore();
}
