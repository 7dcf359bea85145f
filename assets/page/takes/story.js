/** How it goes, in three pictures: a span, three fillings of it, the one that is kept. Drawn, for there is no sound yet. */

import { prepare } from '../parts/wave.js';

/** Height of a bar of the drawn waveform, 0..1. */
const tall = (i) => 0.25 + 0.65 * Math.abs(Math.sin(i * 1.7) * Math.cos(i * 0.37)) * (0.5 + 0.5 * Math.exp(-(i % 9) / 4));

export const STORY = ['Drag|over what should change. The span turns yellow.', 'Inpaint.|Three engines re-make it along your chords and melody.', 'Keep|the take that sits best. The rest stays untouched.']
  .map((line) => line.split('|')).map(([verb, rest]) => `<figure><canvas></canvas><figcaption><b>${verb}</b> ${rest}</figcaption></figure>`).join('');

export function drawStory(canvases, colour) {
  canvases.forEach((canvas, story) => {
    const { c, width, height } = prepare(canvas);
    const [from, to] = [width * 0.27, width * 0.73];
    c.fillStyle = colour('span-tint');
    c.fillRect(from, 0, to - from, height);
    const rows = story === 1 ? ['ar', 'fm', 'zs'] : [story === 2 ? 'fm' : 'span-wave'];
    for (let x = 0, i = 0; x < width; x += 3, i++) {
      const inside = x >= from && x < to;
      const lines = inside ? rows : ['wave'];
      lines.forEach((name, row) => {
        c.globalAlpha = inside ? 1 : 0.45;
        c.fillStyle = colour(name);
        const middle = (height * (row + 0.5)) / lines.length;
        const high = ((tall(i + row * 7) * height) / lines.length) * 0.85;
        c.fillRect(x, middle - high / 2, 2, high);
      });
    }
    c.globalAlpha = 1;
    c.fillStyle = colour('span-edge');
    for (const x of [from, to]) c.fillRect(x - 1, 0, 2, height);
  });
}
