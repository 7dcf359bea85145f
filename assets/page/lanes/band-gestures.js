/**
 * The pointer on the open band lane. Select: drag moves a bar, its outer 8 px resize, a double click in the span
 * asks for a player, then for none, then leaves it open. Draw: drag on a row says from when to when, over a bar
 * it removes. Erase removes. Alt while dragging turns snapping off. Rows scroll by the wheel.
 */

import { desk } from '../store/desk.js';
import { drag, reach } from '../parts/gestures.js';
import { cleared, said } from '../music/band.js';
import { newId, resized, shifted, within } from '../music/cells.js';
import { ROW } from './band-rows.js';
import { clamp } from '../music/time.js';

const EDGE = 8; // pixels inside a bar that resize

export class BandGestures {
  constructor(lane) {
    this.lane = lane;
    const { host, head } = lane;
    host.addEventListener('dblclick', (event) => this.#double(event));
    for (const node of [host, head]) node.addEventListener('contextmenu', (event) => this.#context(event));
    for (const node of [host, head]) node.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #edge(piece, event) {
    if (piece.state === 'open') return null;
    const x = event.clientX - this.lane.host.getBoundingClientRect().left;
    const [from, to] = [this.lane.x(piece.start), this.lane.x(piece.end)];
    const near = reach(event, EDGE, 2 * EDGE);
    if (to - from < 3 * near) return null;
    return x - from < near ? 'start' : to - x < near ? 'end' : null;
  }

  hover(event) {
    if (!this.lane.open) return;
    const { tool } = this.lane.timeline;
    const piece = this.lane.hit(event);
    const bar = piece && piece.state !== 'open';
    this.lane.host.style.cursor = tool === 'select' && bar ? (this.#edge(piece, event) ? 'ew-resize' : 'grab') : '';
    const title = piece ? this.lane.rowsView.tip(piece, event) : '';
    if (this.lane.host.title !== title) this.lane.host.title = title;
  }

  press(event) {
    if (event.button !== 0) return undefined;
    if (!this.lane.open || !this.lane.rows.length) return this.lane.timeline.tool === 'draw' ? this.lane.begin() : undefined;
    this.lane.host.focus({ preventScroll: true });
    const { tool } = this.lane.timeline;
    const name = this.lane.rowAt(event);
    if (name === null) return undefined;
    const piece = this.lane.hit(event);
    if (tool === 'draw') return this.#paint(event, name, piece);
    if (tool === 'erase') return this.#erase(event);
    if (piece && event.shiftKey) return this.lane.toggle(piece.id);
    if (piece && piece.state !== 'open') return this.#grab(event, piece);
    return drag(event, this.lane.timeline.board, { click: () => {
      this.lane.choose(...(piece ? [piece.id] : []));
      desk.player.seek(this.lane.timeline.timeAt(event));
    } });
  }

  /** The first place says whether the drag puts or removes; the row stays that of the press. */
  #paint(event, name, under) {
    const removes = under?.state === 'asked' || under?.state === 'given';
    const state = !removes ? 'asked' : under.cell ? 'open' : 'none'; // what the words say is taken back by drawing none
    const from = this.lane.beatAt(event, Math.floor);
    const least = this.lane.stepBeats(event) || 1 / 4;
    const id = newId('b');
    const range = (now) => {
      const to = this.lane.beatAt(now);
      const [start, end] = to >= from ? [from, Math.max(to, from + least)] : [to, from + (now.altKey ? 0 : least)];
      return { name, id, start: Math.max(start, this.lane.low), end: Math.min(end, this.lane.high) };
    };
    this.#dragged(event, removes ? 'erase_band' : 'draw_band', (now) => said(desk.doc.band, range(now), state), () => {
      const bar = desk.doc.grid.beats_per_bar;
      const start = Math.floor(from / bar + 1e-6) * bar;
      const whole = under ?? this.#free(name, start, start + bar, from);
      this.lane.commit(removes ? 'erase_band' : 'draw_band', said(desk.doc.band, { ...whole, name, id }, state));
    });
  }

  /** What of a bar is free around a beat, up to the bars beside it and to the span. */
  #free(name, start, end, beat) {
    const { span } = this.lane;
    const edges = [this.lane.low, this.lane.high, ...this.lane.items.filter((piece) => piece.name === name).flatMap((piece) => [piece.start, piece.end]), ...(span ? [span.start, span.end] : [])];
    return {
      start: Math.max(start, ...edges.filter((edge) => edge <= beat + 1e-6)),
      end: Math.min(end, ...edges.filter((edge) => edge > beat + 1e-6)),
    };
  }

  #erase(event) {
    const gone = new Map();
    this.#dragged(event, 'erase_band', (now) => {
      const piece = this.lane.draft ? this.#under(now) : this.lane.hit(now);
      if (piece?.cell) gone.set(piece.id, piece);
      return [...gone.values()].reduce(cleared, desk.doc.band);
    });
  }

  /** The piece of the lane as it was before the gesture. */
  #under(event) {
    const { draft } = this.lane;
    this.lane.draft = null;
    const piece = this.lane.hit(event);
    this.lane.draft = draft;
    return piece;
  }

  #grab(event, piece) {
    const edge = this.#edge(piece, event);
    const already = this.lane.isChosen(piece.id);
    if (!already) this.lane.choose(piece.id);
    const from = this.lane.rawBeat(event);
    const group = edge ? [piece] : this.lane.chosen.filter(({ state }) => state !== 'open');
    const ids = new Map(group.map(({ id, cell }) => [id, cell?.id === id ? id : newId('b')]));
    const changed = (now) => {
      if (edge) return [resized(piece, edge, this.lane.beatAt(now), this.lane.stepBeats(now) || 0.25, this.lane.high, this.lane.low)];
      const beats = within(group, this.lane.dragged(piece, from, now, this.lane.stepBeats(now)), this.lane.high, this.lane.low);
      return group.map((one) => shifted(one, beats));
    };
    this.#dragged(event, edge ? 'resize_band' : 'move_band', (now) => this.lane.replaced(group, changed(now), ids), () => this.lane.choose(piece.id), [...ids.values()]);
  }

  /** A gesture that shows what it makes of the lane and sends it at its end; `click` where there was no drag. */
  #dragged(event, edit, lane, click = null, chosen = []) {
    const end = (now) => {
      this.lane.commit(edit, lane(now));
      this.lane.choose(...chosen);
    };
    drag(event, this.lane.timeline.board, { move: (now) => this.lane.show(lane(now)), end, click: click ? () => click() : end, cancel: () => this.lane.restore() });
  }

  #double(event) {
    if (this.lane.timeline.tool !== 'select') return;
    const piece = this.lane.open ? this.lane.hit(event) : undefined;
    if (piece?.inside) this.lane.turn([piece]);
  }

  #context(event) {
    event.preventDefault();
    this.hold(event);
  }

  /** The right button, or a finger that stays: the menu of the row under it. */
  hold(event) {
    if (!this.lane.open) return this.lane.fold(true);
    const name = event.clientX || event.clientY ? this.lane.rowAt(event) : (this.lane.chosen[0]?.name ?? this.lane.rows[0]);
    if (name) this.lane.menu.open(name, this.#here(name, event), event);
    return undefined;
  }

  /** What "here" means in a row's menu: the span around the pointer, else the bar under it, else its measure; without both what is in view. */
  #here(name, event) {
    const { span } = this.lane;
    const beat = event.clientX > this.lane.host.getBoundingClientRect().left ? this.lane.rawBeat(event) : null;
    if (span && (beat === null || (beat >= span.start && beat < span.end))) return span;
    if (beat === null) return this.lane.shown;
    const bar = desk.doc.grid.beats_per_bar;
    const start = Math.floor(beat / bar) * bar;
    return this.lane.hit(event) ?? this.#free(name, Math.max(start, this.lane.low), Math.min(start + bar, this.lane.high), beat);
  }

  #wheel(event) {
    if (!this.lane.open || !this.lane.lowest || event.ctrlKey || event.metaKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    event.stopPropagation();
    this.lane.scroll = clamp(this.lane.scroll + Math.sign(event.deltaY) * ROW, 0, this.lane.lowest);
    this.lane.timeline.redraw();
  }
}
