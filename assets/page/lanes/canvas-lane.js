/**
 * What the melody and the drum lane have in common: items drawn as boxes on a canvas over the beat grid, and a
 * drag over the ground that chooses many. Subclasses say where the boxes lie.
 */

import { drag } from '../parts/gestures.js';
import { Lane } from './lane.js';
import { clamp, ticks } from '../music/time.js';
import { desk } from '../store/desk.js';

export class CanvasLane extends Lane {
  #marquee = null; // {x, y, w, h} in pixels while a drag over the ground goes on

  /** Lines at bars, and at beats unless `bars` alone are wanted, down to `tall` pixels. */
  drawBeats(c, colour, { width, tall, bars = false }) {
    const { view, duration } = this.timeline;
    for (const { time, beat } of ticks(desk.doc.grid, view, width, duration)) {
      if (bars && beat !== 1) continue;
      c.fillStyle = colour(beat === 1 ? 'line2' : 'line');
      c.fillRect(Math.round((time - view.start) * view.pps), 0, 1, tall);
    }
  }

  drawSpan(c, colour, tall) {
    const { view, region } = this.timeline;
    if (!region) return;
    c.fillStyle = colour('span-soft');
    c.fillRect((region.start - view.start) * view.pps, 0, (region.end - region.start) * view.pps, tall);
  }

  /** boxes: [{id, x, y, wide, tall, inside}]; those in the span are yellow, chosen ones have an outline. */
  drawBoxes(c, colour, boxes) {
    const { selection } = this.timeline;
    const chosen = selection.lane === this.name ? selection.ids : new Set();
    for (const inside of [false, true]) {
      c.fillStyle = colour(inside ? 'span-wave' : 'note');
      const rounded = new Path2D();
      for (const box of boxes) {
        if (box.inside !== inside) continue;
        // Corners cannot be seen on a narrow box, and a thousand rectangles are quicker than one path of them.
        if (box.wide < 5) c.fillRect(box.x, box.y, box.wide, box.tall);
        else rounded.roundRect(box.x, box.y, box.wide, box.tall, 2);
      }
      c.fill(rounded);
    }
    if (!chosen.size) return;
    c.strokeStyle = colour('text');
    c.lineWidth = 2;
    for (const { id, x, y, wide, tall } of boxes) if (chosen.has(id)) c.strokeRect(x - 1.5, y - 1.5, wide + 3, tall + 3);
    c.lineWidth = 1;
  }

  drawMarquee(c, colour) {
    if (!this.#marquee) return;
    const { x, y, w, h } = this.#marquee;
    c.strokeStyle = colour('text');
    c.setLineDash([3, 3]);
    c.strokeRect(x + 0.5, y + 0.5, w, h);
    c.setLineDash([]);
  }

  /** Chooses what `within({x, y, w, h})` finds while the pointer is dragged over the ground; a click is `click`. */
  chooseByDrag(event, within, click) {
    const ground = this.host.getBoundingClientRect();
    const place = (now) => ({ x: now.clientX - ground.left, y: clamp(now.clientY - ground.top, 0, ground.height) });
    const begun = place(event);
    const move = (now) => {
      const here = place(now);
      this.#marquee = { x: Math.min(begun.x, here.x), y: Math.min(begun.y, here.y), w: Math.abs(here.x - begun.x), h: Math.abs(here.y - begun.y) };
      this.choose(...within(this.#marquee).map(({ id }) => id));
    };
    const end = () => {
      this.#marquee = null;
      this.timeline.redraw();
    };
    drag(event, this.timeline.board, { move, end, cancel: end, click });
  }
}
