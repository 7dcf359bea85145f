/** The minimap: the whole clip with its spans, and the window that the lanes show. Drag moves the window. */

import { desk } from '../store/desk.js';
import { html, render } from '../parts/markup.js';
import { drag } from '../parts/gestures.js';
import { fitView, formatLength, timeToX, xToTime } from '../music/time.js';
import { boxOf, drawWave, prepare } from '../parts/wave.js';
import { loudest } from '../sound/peaks.js';

export class Minimap {
  #sign = []; // what the picture shows

  constructor(timeline, host, head) {
    this.timeline = timeline;
    this.host = host;
    this.head = head;
    render(host, html`<canvas></canvas><div class="window"></div>`);
    this.canvas = host.firstElementChild;
    this.window = host.lastElementChild;
  }

  draw(colour) {
    const { timeline } = this;
    const { view, duration } = timeline;
    const { width, height } = boxOf(this.canvas);
    const whole = fitView(duration, width);
    const { active, spans } = timeline.spans;
    const base = desk.pyramid('base');
    const sign = [colour, width, height, duration, base?.levels, active?.id, ...spans.flatMap(({ start, end }) => [start, end])];
    if (sign.length !== this.#sign.length || sign.some((part, i) => part !== this.#sign[i])) {
      this.#sign = sign; // scrolling and zooming leave the picture as it is
      this.#picture(colour, { whole, active, spans, base });
    }
    this.window.style.transform = `translateX(${timeToX(whole, view.start)}px)`;
    this.window.style.width = `${Math.min((timeline.width / view.pps) * whole.pps, width)}px`;
    const { grid } = desk.doc;
    const bars = Math.max(1, Math.ceil((duration * grid.bpm) / 60 / grid.beats_per_bar - 0.01));
    this.head.textContent = `${formatLength(duration)}, ${bars} bar${bars === 1 ? '' : 's'}`;
  }

  #picture(colour, { whole, active, spans, base }) {
    const { c, width, height } = prepare(this.canvas, boxOf(this.canvas));
    for (const span of spans) {
      const [from, to] = [timeToX(whole, span.start), timeToX(whole, span.end)];
      c.fillStyle = colour('span-mini');
      if (span.id === active?.id) c.fillRect(from, 0, Math.max(to - from, 2), height);
      else c.fillRect(from, height - 3, Math.max(to - from, 2), 3);
    }
    const gain = base ? 0.95 / Math.max(loudest(base), 0.1) : 1;
    drawWave(c, base, whole, { middle: height / 2, half: height / 2 - 2, gain, from: 0, to: width, colour: colour('wave'), alpha: 0.75 });
  }

  press(event) {
    const { timeline } = this;
    const box = this.host.getBoundingClientRect();
    const whole = fitView(timeline.duration, box.width);
    const { view } = timeline;
    const seconds = timeline.width / view.pps;
    const at = xToTime(whole, event.clientX - box.left);
    const grip = at >= view.start && at <= view.start + seconds ? at - view.start : seconds / 2;
    const go = (now) => timeline.setView({ ...timeline.view, start: xToTime(whole, now.clientX - box.left) - grip });
    drag(event, timeline.board, { move: go, click: go });
  }
}
