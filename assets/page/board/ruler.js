/** The ruler: bars, beats and seconds, and the fine ticks of a deep zoom, drawn on a canvas. */

import { desk } from '../store/desk.js';
import { fineTicks, formatShort, ticks, timeToX } from '../music/time.js';
import { boxOf, prepare } from '../parts/wave.js';

export function drawRuler(canvas, { view, duration }, colour) {
  const { c, width, height } = prepare(canvas, boxOf(canvas));
  c.textBaseline = 'middle';
  const line = (time, tall, token) => {
    c.fillStyle = colour(token);
    c.fillRect(Math.round(timeToX(view, time)), height - tall, 1, tall);
  };
  for (const { time, label } of fineTicks(view, width, duration, desk.doc.grid)) {
    line(time, label ? 10 : 5, 'line2');
    if (!label) continue;
    c.font = `400 11px ${colour('font')}`;
    c.fillStyle = colour('faint');
    c.fillText(label, timeToX(view, time) + 4, height / 2 + 0.5);
  }
  for (const tick of ticks(desk.doc.grid, view, width, duration)) {
    const x = timeToX(view, tick.time);
    line(tick.time, tick.label ? 18 : tick.beat === 1 ? 12 : 6, 'line2');
    if (!tick.label || x > width - 12) continue;
    c.font = `600 12px ${colour('font')}`;
    c.fillStyle = colour('text');
    const bar = String(tick.bar);
    c.fillText(bar, x + 5, height / 2);
    const used = c.measureText(bar).width;
    c.font = `400 11px ${colour('font')}`;
    c.fillStyle = colour('muted');
    c.fillText(formatShort(tick.time), x + 11 + used, height / 2 + 0.5);
  }
}
