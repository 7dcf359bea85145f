/**
 * The spans over the lanes: flag, borders and handles of the active one, dashed borders of the others.
 * Drag on audio or ruler makes or re-places the active span, with Shift one more; drag on a flag moves, on a
 * border resizes, double-click takes a bar. What a gesture shows is in `draft`; it is sent at its end.
 */

import { desk } from '../store/desk.js';
import { html, render } from '../parts/markup.js';
import { drag } from '../parts/gestures.js';
import { newId } from '../music/cells.js';
import { flagTimes, flagWords } from './flag.js';
import { barBeat, beatsToSeconds, clamp, formatSpan, round, spanFrom, timeToX } from '../music/time.js';

export class SpanLayer {
  draft = null; // {id, start, end} while a gesture goes on

  constructor(timeline, host) {
    this.timeline = timeline;
    this.host = host;
    this.nodes = new Map(); // id -> element
  }

  /** All spans as they look now. */
  get spans() {
    const { draft } = this;
    const { spans } = desk.doc;
    if (!draft) return spans;
    return spans.some(({ id }) => id === draft.id) ? spans.map((span) => (span.id === draft.id ? { ...span, ...draft } : span)) : [...spans, draft];
  }

  get active() {
    const id = this.draft?.id ?? desk.doc.active;
    return this.spans.find((span) => span.id === id) ?? null;
  }

  // ---- drawing

  draw() {
    const { active } = this;
    const shown = new Set();
    [...this.spans].sort((a, b) => a.start - b.start).forEach((span, index) => {
      shown.add(span.id);
      const node = this.nodes.get(span.id) ?? this.#make(span.id);
      this.#paint(node, span, index + 1, span.id === active?.id);
    });
    for (const [id, node] of this.nodes) {
      if (shown.has(id)) continue;
      node.remove();
      this.nodes.delete(id);
    }
  }

  /** Borders and playhead end at words that stand in a lane which has nothing else in it. */
  leaveFree(nodes) {
    const layer = this.host.parentElement;
    const at = nodes.length ? layer.getBoundingClientRect() : null;
    const holes = [...nodes].map((node) => node.getBoundingClientRect()).filter(({ width }) => width)
      .map(({ left, top, width, height }) => `M${left - at.left} ${top - at.top}h${width}v${height}h${-width}z`);
    const shape = holes.length ? `path(evenodd, "M0 0H${at.width}V${at.height}H0z${holes.join('')}")` : '';
    if (this.#shape !== shape) layer.style.clipPath = this.#shape = shape;
  }

  #shape = '';

  #make(id) {
    const node = document.createElement('div');
    node.className = 'span';
    node.dataset.id = id;
    render(node, html`<div class="flag"><b></b><em></em><span></span></div>
      <div class="grip start" role="slider" tabindex="0" title="Drag, or ← →; Alt: no snap"><i></i></div>
      <div class="grip end" role="slider" tabindex="0" title="Drag, or ← →; Alt: no snap"><i></i></div>`);
    for (const edge of ['start', 'end']) {
      const grip = node.querySelector(`.grip.${edge}`);
      grip.addEventListener('keydown', (event) => this.#gripKey(event, id, edge));
      grip.addEventListener('focus', () => desk.activateSpan(id));
    }
    this.host.append(node);
    this.nodes.set(id, node);
    return node;
  }

  #paint(node, span, number, active) {
    const { view, duration } = this.timeline;
    const left = timeToX(view, span.start);
    const width = (span.end - span.start) * view.pps;
    node.style.transform = `translateX(${left}px)`;
    node.style.width = `${width}px`;
    node.classList.toggle('active', active);
    const flag = node.firstElementChild;
    flag.style.setProperty('--lead', `${Math.max(0, -left)}px`);
    const words = flagWords(span, width - Math.max(0, -left), active, this.timeline.folds);
    flag.classList.toggle('small', width < 104);
    flag.classList.toggle('tiny', width < 36);
    flag.classList.toggle('worded', Boolean(words));
    const shown = [number, words, flagTimes(span, width - Math.max(0, -left), active, words)];
    [...flag.children].forEach((part, i) => part.textContent !== String(shown[i]) && (part.textContent = shown[i]));
    const title = [span.prompt ?? '', `${formatSpan(span)}. Drag to move the span, double-click for the whole bar`].filter(Boolean).join('\n');
    if (flag.title !== title) flag.title = title;
    for (const edge of ['start', 'end']) {
      const grip = node.querySelector(`.grip.${edge}`);
      const { bar, beat } = barBeat(desk.doc.grid, span[edge]);
      grip.setAttribute('aria-label', `Span ${number} ${edge}`);
      grip.setAttribute('aria-valuemin', '0');
      grip.setAttribute('aria-valuemax', duration.toFixed(2));
      grip.setAttribute('aria-valuenow', span[edge].toFixed(2));
      grip.setAttribute('aria-valuetext', `${span[edge].toFixed(2)} seconds, bar ${bar} beat ${beat}`);
    }
  }

  // ---- gestures

  #show(draft) {
    this.draft = draft;
    this.timeline.redraw();
  }

  #settle(draft) {
    this.draft = null;
    if (draft) desk.putSpan(draft);
    this.timeline.redraw();
  }

  #drag(event, span, click = () => {}) {
    this.timeline.board.focus({ preventScroll: true });
    drag(event, this.timeline.board, {
      move: (now) => this.#show(span(now)), end: (now) => this.#settle(span(now)), click, cancel: () => this.#settle(null),
    });
  }

  /** From audio or ruler. */
  press(event) {
    const { timeline } = this;
    const anchor = timeline.timeAt(event);
    const id = event.shiftKey || !desk.doc.active ? newId('s') : desk.doc.active;
    if (!desk.doc.clip) {
      timeline.select(null, []);
      return desk.player.seek(anchor);
    }
    return this.#drag(
      event,
      (now) => ({ id, ...spanFrom(anchor, timeline.timeAt(now), timeline.mode(now), desk.doc.grid, desk.doc.frame_rate, timeline.duration) }),
      () => {
        timeline.select(null, []);
        desk.player.seek(anchor);
      },
    );
  }

  /** From a flag or a grip; false when it was neither. */
  pressOn(event, target) {
    const id = target.closest('.span')?.dataset.id;
    const span = desk.doc.spans.find((known) => known.id === id);
    if (!span) return false;
    const grip = target.closest('.grip');
    if (grip) this.#dragEdge(event, span, grip.classList.contains('start') ? 'start' : 'end');
    else this.#dragWhole(event, span);
    return true;
  }

  #dragWhole(event, { id, start, end }) {
    const { timeline } = this;
    const from = timeline.timeAt(event);
    const length = end - start;
    this.#drag(event, (now) => {
      const begin = clamp(timeline.snapped(start + timeline.timeAt(now) - from, now), 0, Math.max(0, timeline.duration - length));
      return { id, start: round(begin), end: round(Math.min(begin + length, timeline.duration)) };
    }, () => desk.activateSpan(id));
  }

  #dragEdge(event, span, edge) {
    const { timeline } = this;
    const offset = span[edge] - timeline.timeAt(event);
    // Snap the moving edge only: the other one stays where it is, on the grid or not.
    this.#drag(event, (now) => this.#withEdge(span, edge, timeline.snapped(timeline.timeAt(now) + offset, now)), () => desk.activateSpan(span.id));
  }

  #withEdge({ id, start, end }, edge, time) {
    const least = 2 / desk.doc.frame_rate;
    return edge === 'start'
      ? { id, start: round(clamp(time, 0, end - least)), end }
      : { id, start, end: round(clamp(time, start + least, this.timeline.duration)) };
  }

  #gripKey(event, id, edge) {
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!sign || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const span = desk.doc.spans.find((known) => known.id === id);
    if (span) this.#settle(this.#withEdge(span, edge, span[edge] + sign * this.timeline.step));
  }

  // ---- actions

  /** The bar (from 1) as the active span. */
  setBar(bar) {
    const { grid } = desk.doc;
    const { duration } = this.timeline;
    const start = clamp(beatsToSeconds(grid, (bar - 1) * grid.beats_per_bar), 0, duration);
    const end = clamp(beatsToSeconds(grid, bar * grid.beats_per_bar), 0, duration);
    if (end - start > 0.08) this.#settle({ id: desk.doc.active || newId('s'), start: round(start), end: round(end) });
  }

  nudge(start, end) {
    const { region, active } = desk.doc;
    if (!region) return;
    const { step, duration } = this.timeline;
    const next = { id: active, start: round(region.start + start * step), end: round(region.end + end * step) };
    if (next.start < -1e-6 || next.end > duration + 1e-6 || next.end - next.start < 2 / desk.doc.frame_rate) return;
    this.#settle({ ...next, start: Math.max(0, next.start), end: Math.min(next.end, duration) });
  }

  /** The next span; where there is at most one, the next bar as span. */
  next(direction) {
    const { spans, active, grid, region, clip } = desk.doc;
    if (!clip) return;
    if (spans.length > 1 || (spans.length && !active)) {
      const at = spans.findIndex(({ id }) => id === active);
      desk.activateSpan(spans[at < 0 ? 0 : (at + direction + spans.length) % spans.length].id);
      this.timeline.reveal(desk.doc.region.start);
      return;
    }
    const bar = region ? barBeat(grid, region.start).bar + direction : barBeat(grid, desk.player.position).bar;
    if (bar >= 1) this.setBar(bar);
  }

  /** One more span of a bar: after the active one, else at the playhead. */
  add() {
    const { grid, region, clip } = desk.doc;
    if (!clip) return;
    const { duration } = this.timeline;
    const length = (grid.beats_per_bar * 60) / grid.bpm;
    const from = clamp(region ? region.end : this.timeline.snapped(desk.player.position), 0, Math.max(0, duration - Math.min(length, duration / 2)));
    this.#settle({ id: newId('s'), start: round(from), end: round(Math.min(from + length, duration)) });
  }
}
