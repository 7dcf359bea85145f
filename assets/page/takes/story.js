/** How it goes, in pictures: a span, its fillings, the one that is kept; and three things more for About. Drawn, for there is no sound yet. */

import { prepare } from '../parts/wave.js';
import { html } from '../parts/markup.js';

/** Height of a bar of the drawn waveform, 0..1. */
const tall = (i) => 0.25 + 0.65 * Math.abs(Math.sin(i * 1.7) * Math.cos(i * 0.37)) * (0.5 + 0.5 * Math.exp(-(i % 9) / 4));

const figures = (lines) => lines.map((line) => line.split('|')).map(([verb, rest]) => html`<figure><canvas aria-hidden="true"></canvas><figcaption><b>${verb}</b> ${rest}</figcaption></figure>`);

export const STORY = figures(['Drag|over what should change. The span turns yellow.', 'Inpaint.|Three engines re-make it along your words and lanes.', 'Keep|the take that sits best. The rest stays untouched.']);

export const SIX = figures([
  'Drag|over what should change. The span turns yellow.',
  'Inpaint.|One engine answers first, the others while you listen.',
  'Keep|the take that sits best. The rest stays, bit for bit.',
  'Blend in or Change:|begin from the music around, or from your words.',
  'Draw|chords, melody, drums and who plays. Takes are judged by it.',
  'Undo|anything, any time. Projects save themselves.',
]);

/** Colours of the rows inside the span, from left to right where there are several parts. */
const INSIDE = [[['span-wave']], [['ar', 'fm', 'zs']], [['fm']], [['fm'], ['ar']]];

function drawBars(c, scene, { width, height, from, to, colour }) {
  const parts = INSIDE[scene];
  for (let x = 0, i = 0; x < width; x += 3, i++) {
    const inside = x >= from && x < to;
    const lines = inside ? parts[Math.min(parts.length - 1, Math.floor(((x - from) / (to - from)) * parts.length))] : ['wave'];
    lines.forEach((name, row) => {
      c.globalAlpha = inside ? 1 : 0.45;
      c.fillStyle = colour(name);
      const middle = (height * (row + 0.5)) / lines.length;
      const high = ((tall(i + row * 7) * height) / lines.length) * 0.85;
      c.fillRect(x, middle - high / 2, 2, high);
    });
  }
  c.globalAlpha = 1;
}

const NOTES = [0.1, 0.1, 0.18, 0.3, 0.18, 0.3, 0.52, 0.42, 0.34, 0.18, 0.3, 0.2, 0.4, 0.12, 0.06];

function drawLine(c, { width, height, from, to, colour }) {
  const step = width / NOTES.length;
  NOTES.forEach((down, i) => {
    const x = i * step + 2;
    c.fillStyle = colour(x > from && x < to ? 'span-wave' : 'note');
    c.fillRect(x, down * height + 4, step - 5, 4);
    if (i % 2 === 0) c.fillRect(x, height - 10, 5, 5);
  });
}

function drawSteps(c, { width, height, colour }) {
  const [wide, gap] = [width / 8, width / 48];
  for (let i = 0; i < 6; i++) {
    c.globalAlpha = i === 3 ? 1 : i < 3 ? 0.55 : 0.22;
    c.fillStyle = colour('text');
    c.fillRect(width / 2 - 3 * (wide + gap) + i * (wide + gap), height / 2 - 9, wide, 18);
  }
  c.globalAlpha = 1;
}

/** Draws the scenes onto as many canvases as there are, in their order. */
export function drawScenes(canvases, colour) {
  canvases.forEach((canvas, scene) => {
    if (!canvas.clientWidth) return; // out of sight
    const { c, width, height } = prepare(canvas);
    const [from, to] = [width * 0.27, width * 0.73];
    const place = { width, height, from, to, colour };
    if (scene === 5) return drawSteps(c, place);
    c.fillStyle = colour('span-tint');
    c.fillRect(from, 0, to - from, height);
    if (scene === 4) drawLine(c, place);
    else drawBars(c, scene, place);
    c.fillStyle = colour('span-edge');
    for (const x of [from, to]) c.fillRect(x - 1, 0, 2, height);
    return undefined;
  });
}
