/**
 * The band lane: who plays when. Folded, a row of cells with the players in words; open, a row for each player
 * with bars. Select: drag moves a bar, its outer 8 px resize, a double click in the span asks for a player, then
 * for none, then leaves it open. Draw: drag on a row says from when to when, over a bar it removes. Erase
 * removes. Alt while dragging turns snapping off. Rows scroll by the wheel.
 */

import { desk } from './desk.js';
import { drag, reach } from './gestures.js';
import { icons, text } from './icons.js';
import { capital, cleared, cycled, inOrder, pieces, putParts, rowsShown, said, solo } from './band.js';
import { endOf, newId, resized, shifted, startOf, tidy, within } from './cells.js';
import { BandAdd, BandMenu } from './band-dialogs.js';
import { BandCells } from './band-cells.js';
import { ADD, ROW, BandRows } from './band-rows.js';
import { Lane } from './lane.js';
import { clamp, secondsToBeats, xToTime } from './time.js';
import { boxOf } from './wave.js';

const EDGE = 8; // pixels inside a bar that resize
const NO_WORDS = [];
const SHOWN = [4, 6]; // rows that an open lane has room for, at least and at most

export class BandLane extends Lane {
  edits = { erase: 'erase_band', move: 'move_band', resize: 'resize_band' };
  open = false;
  scroll = 0; // pixels of the rows above the upper edge
  added = []; // names of rows that nobody plays in yet
  #order = [];
  #known = { sign: [], rows: [], all: [] };

  constructor(timeline, host, head) {
    super(timeline, 'band', 'b', host, head);
    head.innerHTML = `<button class="fold text-button" data-action="band" aria-expanded="false"><b>Band</b>${icons.down}</button><span class="soft"></span>
      <div class="names"><ul></ul></div><button class="add text-button" aria-haspopup="dialog" title="One more player: over the span, else over what is in view">${icons.plus}<span>Add</span></button>`;
    host.innerHTML = '<canvas></canvas><div class="stretches"></div><div class="hint"></div>';
    this.rowsView = new BandRows(this);
    this.cellsView = new BandCells(this);
    this.adding = new BandAdd(this);
    this.menu = new BandMenu(this);
    head.querySelector('.add').addEventListener('click', (event) => this.adding.open(event.currentTarget));
    host.addEventListener('dblclick', (event) => this.#double(event));
    for (const node of [host, head]) node.addEventListener('contextmenu', (event) => this.#context(event));
    for (const node of [host, head]) node.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  // ---- what there is

  get cells() {
    return this.draft ?? desk.doc.band;
  }

  /** The active span in beats, null without one. */
  get span() {
    const { region } = this.timeline;
    const { grid } = desk.doc;
    return region && { start: secondsToBeats(grid, region.start), end: secondsToBeats(grid, region.end) };
  }

  /** What the active span's own words say of players: [{name, plays, text}]. */
  get words() {
    const span = this.timeline.region && desk.doc.spans.find(({ id }) => id === this.timeline.region.id);
    return (span && span.prompt !== null && span.words) || NO_WORDS; // those of the clip ask for nothing new here
  }

  /** What is in view, in beats. */
  get shown() {
    const { view, width, duration } = this.timeline;
    const beats = (seconds) => secondsToBeats(desk.doc.grid, clamp(seconds, 0, duration));
    return { start: beats(view.start), end: beats(xToTime(view, width)) };
  }

  #count() {
    const { cells, span, words, shown, added } = this;
    const sign = [cells, span?.start, span?.end, words, shown.start, shown.end, added, desk.doc.project];
    if (sign.every((part, i) => part === this.#known.sign[i])) return this.#known;
    if (sign[7] !== this.#known.sign[7]) [this.#order, this.added] = [[], []];
    const rows = inOrder(rowsShown(cells, { view: shown, span, words, added: this.added }), this.open ? this.#order : []);
    this.#order = rows;
    this.#known = { sign, rows, all: rows.flatMap((name) => pieces(cells, name, span, words)) };
    return this.#known;
  }

  /** Names of the rows, in order. */
  get rows() {
    return this.#count().rows;
  }

  /** The rows' pieces: bars outside the span, and inside it every place with its state. */
  get items() {
    return this.#count().all;
  }

  /** How tall an open lane wants to be. */
  get tall() {
    return clamp(this.rows.length, SHOWN[0], this.timeline.sizes?.low ? SHOWN[0] : SHOWN[1]) * ROW + ADD + 4;
  }

  get lowest() {
    return Math.max(0, this.rows.length * ROW + ADD - boxOf(this.host).height);
  }

  // ---- drawing

  draw(colour) {
    this.scroll = clamp(this.scroll, 0, this.lowest);
    this.host.classList.toggle('open', this.open);
    this.head.classList.toggle('open', this.open);
    if (this.open) this.rowsView.draw(colour);
    this.cellsView.draw(this.open);
    this.#name();
  }

  #signed = '';
  #name() {
    const names = this.open ? this.rows : [];
    const hearing = desk.doc.bandHearing;
    const words = Number.isFinite(hearing) ? `Listening for instruments, ${Math.round(hearing * 100)} %` : '';
    const sign = JSON.stringify([names, this.open, words]);
    const { style } = this.head.querySelector('ul');
    const lifted = this.scroll ? `translateY(${-this.scroll}px)` : '';
    if (style.transform !== lifted) style.transform = lifted;
    if (sign === this.#signed) return;
    this.#signed = sign;
    const fold = this.head.querySelector('.fold');
    fold.setAttribute('aria-expanded', this.open);
    fold.title = this.open ? 'Fold the band lane (W)' : 'Unfold the band lane (W)';
    fold.setAttribute('aria-label', fold.title.slice(0, -4));
    this.head.querySelector('ul').innerHTML = names.map((name) => `<li title="${text(capital(name))}">${text(capital(name))}</li>`).join('');
    this.head.querySelector('.soft').textContent = words;
    this.head.querySelector('.soft').title = words;
  }

  // ---- places

  get height() {
    return boxOf(this.host).height;
  }

  /** The name of the row under the pointer, null below the last one. */
  rowAt(event) {
    const y = event.clientY - this.host.getBoundingClientRect().top;
    if (y < 0 || y >= this.height - ADD) return null;
    return this.rows[Math.floor((y + this.scroll) / ROW)] ?? null;
  }

  /** The piece under the pointer, undefined where there is none. */
  hit(event) {
    const name = this.rowAt(event);
    const beat = this.rawBeat(event);
    return name === null ? undefined : this.items.find((piece) => piece.name === name && beat >= piece.start && beat < piece.end);
  }

  #edge(piece, event) {
    if (piece.state === 'open') return null;
    const x = event.clientX - this.host.getBoundingClientRect().left;
    const [from, to] = [this.x(piece.start), this.x(piece.end)];
    const near = reach(event, EDGE, 2 * EDGE);
    if (to - from < 3 * near) return null;
    return x - from < near ? 'start' : to - x < near ? 'end' : null;
  }

  hover(event) {
    if (!this.open) return;
    const { tool } = this.timeline;
    const piece = this.hit(event);
    const bar = piece && piece.state !== 'open';
    this.host.style.cursor = tool === 'select' && bar ? (this.#edge(piece, event) ? 'ew-resize' : 'grab') : '';
    const title = piece ? this.rowsView.tip(piece, event) : '';
    if (this.host.title !== title) this.host.title = title;
  }

  // ---- gestures

  press(event) {
    if (event.button !== 0) return undefined;
    if (!this.open || !this.rows.length) return this.timeline.tool === 'draw' ? this.#begin() : undefined;
    this.host.focus({ preventScroll: true });
    const { tool } = this.timeline;
    const name = this.rowAt(event);
    if (name === null) return undefined;
    const piece = this.hit(event);
    if (tool === 'draw') return this.#paint(event, name, piece);
    if (tool === 'erase') return this.#erase(event);
    if (piece && event.shiftKey) return this.toggle(piece.id);
    if (piece && piece.state !== 'open') return this.#grab(event, piece);
    return drag(event, this.timeline.board, { click: () => {
      this.choose(...(piece ? [piece.id] : []));
      desk.player.seek(this.timeline.timeAt(event));
    } });
  }

  /** Drawing where there is no row yet begins with a name. */
  #begin() {
    this.fold(true);
    this.adding.open(this.head.querySelector('.add'));
  }

  /** The first place says whether the drag puts or removes; the row stays that of the press. */
  #paint(event, name, under) {
    const removes = under?.state === 'asked' || under?.state === 'given';
    const state = !removes ? 'asked' : under.cell ? 'open' : 'none'; // what the words say is taken back by drawing none
    const from = this.beatAt(event, Math.floor);
    const least = this.stepBeats(event) || 1 / 4;
    const id = newId('b');
    const range = (now) => {
      const to = this.beatAt(now);
      const [start, end] = to >= from ? [from, Math.max(to, from + least)] : [to, from + (now.altKey ? 0 : least)];
      return { name, id, start: Math.max(start, this.low), end: Math.min(end, this.high) };
    };
    this.#dragged(event, removes ? 'erase_band' : 'draw_band', (now) => said(desk.doc.band, range(now), state), () => {
      const bar = desk.doc.grid.beats_per_bar;
      const start = Math.floor(from / bar + 1e-6) * bar;
      const whole = under ?? this.#free(name, start, start + bar, from);
      this.#put(removes ? 'erase_band' : 'draw_band', said(desk.doc.band, { ...whole, name, id }, state));
    });
  }

  /** What of a bar is free around a beat, up to the bars beside it and to the span. */
  #free(name, start, end, beat) {
    const { span } = this;
    const edges = [this.low, this.high, ...this.items.filter((piece) => piece.name === name).flatMap((piece) => [piece.start, piece.end]), ...(span ? [span.start, span.end] : [])];
    return {
      start: Math.max(start, ...edges.filter((edge) => edge <= beat + 1e-6)),
      end: Math.min(end, ...edges.filter((edge) => edge > beat + 1e-6)),
    };
  }

  #erase(event) {
    const gone = new Map();
    this.#dragged(event, 'erase_band', (now) => {
      const piece = this.draft ? this.#under(now) : this.hit(now);
      if (piece?.cell) gone.set(piece.id, piece);
      return [...gone.values()].reduce(cleared, desk.doc.band);
    });
  }

  /** The piece of the lane as it was before the gesture. */
  #under(event) {
    const { draft } = this;
    this.draft = null;
    const piece = this.hit(event);
    this.draft = draft;
    return piece;
  }

  #grab(event, piece) {
    const edge = this.#edge(piece, event);
    const already = this.isChosen(piece.id);
    if (!already) this.choose(piece.id);
    const from = this.rawBeat(event);
    const group = edge ? [piece] : this.chosen.filter(({ state }) => state !== 'open');
    const ids = new Map(group.map(({ id, cell }) => [id, cell?.id === id ? id : newId('b')]));
    const changed = (now) => {
      if (edge) return [resized(piece, edge, this.beatAt(now), this.stepBeats(now) || 0.25, this.high, this.low)];
      const beats = within(group, this.dragged(piece, from, now, this.stepBeats(now)), this.high, this.low);
      return group.map((one) => shifted(one, beats));
    };
    this.#dragged(event, edge ? 'resize_band' : 'move_band', (now) => this.#replaced(group, changed(now), ids), () => this.choose(piece.id), [...ids.values()]);
  }

  /** A gesture that shows what it makes of the lane and sends it at its end; `click` where there was no drag. */
  #dragged(event, edit, lane, click = null, chosen = []) {
    const end = (now) => {
      this.#put(edit, lane(now));
      this.choose(...chosen);
    };
    drag(event, this.timeline.board, { move: (now) => this.show(lane(now)), end, click: click ? () => click() : end, cancel: () => this.restore() });
  }

  /** The lane with pieces in other places; what only words say, and loses time, is none there. */
  #replaced(before, after, ids) {
    const lane = before.reduce((cells, piece) => (piece.cell ? cleared(cells, piece) : said(cells, piece, 'none')), desk.doc.band);
    return putParts(lane, after.map((piece, i) => {
      const was = before[i];
      const shrunk = piece.start >= was.start - 1e-6 && piece.end <= was.end + 1e-6;
      return { id: ids.get(was.id), name: was.name, start: piece.start, end: piece.end, plays: was.state !== 'none', sure: was.cell?.sure ?? 1, by: shrunk && was.cell ? was.cell.by : 'drawn' };
    }));
  }

  #double(event) {
    if (this.timeline.tool !== 'select') return;
    const piece = this.open ? this.hit(event) : undefined;
    if (piece?.inside) this.turn([piece]);
  }

  #context(event) {
    event.preventDefault();
    this.hold(event);
  }

  /** The right button, or a finger that stays: the menu of the row under it. */
  hold(event) {
    if (!this.open) return this.fold(true);
    const name = event.clientX || event.clientY ? this.rowAt(event) : (this.chosen[0]?.name ?? this.rows[0]);
    if (name) this.menu.open(name, this.#here(name, event), event);
    return undefined;
  }

  /** What "here" means in a row's menu: the span around the pointer, else the bar under it, else its measure; without both what is in view. */
  #here(name, event) {
    const { span } = this;
    const beat = event.clientX > this.host.getBoundingClientRect().left ? this.rawBeat(event) : null;
    if (span && (beat === null || (beat >= span.start && beat < span.end))) return span;
    if (beat === null) return this.shown;
    const bar = desk.doc.grid.beats_per_bar;
    const start = Math.floor(beat / bar) * bar;
    return this.hit(event) ?? this.#free(name, Math.max(start, this.low), Math.min(start + bar, this.high), beat);
  }

  #wheel(event) {
    if (!this.open || !this.lowest || event.ctrlKey || event.metaKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    event.stopPropagation();
    this.scroll = clamp(this.scroll + Math.sign(event.deltaY) * ROW, 0, this.lowest);
    this.timeline.redraw();
  }

  // ---- edits

  /** Sends a new state of the lane; sureness and all else of cells that stay is kept. */
  #put(edit, cells) {
    this.commit(edit, cells);
  }

  /** From paste and repeat: pieces become cells of their own. */
  putAll(edit, changed) {
    this.#put(edit, putParts(desk.doc.band, changed.filter(({ state }) => state !== 'open')
      .map(({ id, name, start, end, state }) => ({ id, name, start, end, plays: state !== 'none', sure: 1, by: 'drawn' }))));
  }

  /** Says one thing of places of rows: "asked", "none" or "open", as one edit. */
  say(places, state) {
    this.#put('set_band', places.reduce((cells, place) => said(cells, { name: place.name, start: place.start, end: place.end }, state), desk.doc.band));
    // Words that still say something there were not meant.
    if (state === 'open') for (const name of new Set(places.filter(({ start }) => this.span && start >= this.span.start - 1e-6).map((place) => place.name))) this.#unsay(name);
  }

  #unsay(name) {
    const { active, spans } = desk.doc;
    const { words } = this;
    if (!words.some((word) => word.name === name)) return;
    const rest = spans.map((span) => (span.id === active ? { ...span, words: words.filter((word) => word.name !== name) } : span));
    desk.edit('word_tag', { span: active, name, meant: false }, { spans: rest });
  }

  /** The next state of pieces in the span; they stay chosen. */
  turn(places) {
    const [first] = places;
    this.say(places, cycled(first.state));
    const now = this.items.filter((piece) => piece.inside && places.some((place) => place.name === piece.name && place.start < piece.end && place.end > piece.start));
    this.choose(...now.map(({ id }) => id));
  }

  solo(name, place) {
    this.#put('solo_band', solo(desk.doc.band, { name, ...place }, this.rows));
  }

  /** A player over the span, or over all that is in view. */
  add(name) {
    const place = { name, ...(this.span ?? this.shown) };
    if (!this.open) this.fold(true);
    this.added = [...this.added, name];
    this.say([place], 'asked');
    this.choose(...this.items.filter((piece) => piece.name === name && piece.start >= place.start - 1e-6).slice(0, 1).map(({ id }) => id));
    this.#reveal(name);
    this.timeline.board.focus({ preventScroll: true });
    this.host.focus({ preventScroll: true });
  }

  /** A row and all that it says, everywhere. */
  removeRow(name) {
    this.added = this.added.filter((other) => other !== name);
    this.#put('erase_band', desk.doc.band.filter((cell) => cell.name !== name));
    this.#unsay(name);
    this.choose();
  }

  /** Unfolds or folds the lane. */
  fold(open = !this.open) {
    if (this.timeline.folds) open = false; // a phone has the folded lane alone
    this.open = open;
    if (!open && this.timeline.selection.lane === 'band') this.choose();
    this.timeline.sizes.apply();
    this.timeline.redraw();
  }

  #reveal(name) {
    const at = this.rows.indexOf(name) * ROW;
    const room = Math.max(ROW, this.height - ADD);
    if (at < this.scroll) this.scroll = at;
    else if (at + ROW > this.scroll + room) this.scroll = at + ROW - room;
  }

  // ---- keys

  remove() {
    const { chosen } = this;
    const drawn = chosen.filter(({ cell }) => cell);
    if (drawn.length) this.#put('erase_band', drawn.reduce(cleared, desk.doc.band));
    for (const { name } of chosen.filter(({ cell, state }) => !cell && state !== 'open')) this.#unsay(name);
    if (chosen.length) this.choose();
    return chosen.length > 0;
  }

  /** Enter: the next state of what is chosen in the span. */
  cycle() {
    const inside = this.chosen.filter((piece) => piece.inside);
    if (inside.length) this.turn(inside);
    return inside.length > 0;
  }

  #moved(edit, change) {
    const group = this.chosen.filter(({ state }) => state !== 'open');
    if (!group.length) return false;
    const ids = new Map(group.map(({ id, cell }) => [id, cell?.id === id ? id : newId('b')]));
    this.#put(edit, this.#replaced(group, group.map(change), ids));
    this.choose(...ids.values());
    return true;
  }

  nudge(direction) {
    const group = this.chosen.filter(({ state }) => state !== 'open');
    if (!group.length) return this.step(direction);
    const beats = within(group, direction * (this.stepBeats() || 1 / 16), this.high, this.low);
    return this.#moved('move_band', (piece) => shifted(piece, beats));
  }

  stretch(direction) {
    const step = this.stepBeats() || 1 / 16;
    return this.#moved('resize_band', (piece) => tidy({ ...piece, end: clamp(piece.end + direction * step, piece.start + Math.min(step, piece.end - piece.start), this.high) }));
  }

  quantise() {
    const step = this.stepBeats() || 1;
    const near = (beats) => Math.round(beats / step) * step;
    return this.#moved('resize_band', (piece) => tidy({ ...piece, start: near(piece.start), end: Math.max(near(piece.end), near(piece.start) + step) }));
  }

  /** The piece before or after the chosen one in its row; the first of the span where none is chosen. */
  step(direction) {
    if (!this.open) return false;
    const [now] = this.chosen;
    const name = now?.name ?? this.rows[0];
    const row = this.items.filter((piece) => piece.name === name);
    const next = now ? row[row.findIndex(({ id }) => id === now.id) + direction] : (row.find((piece) => piece.inside) ?? row[0]);
    if (!next) return Boolean(now);
    this.#take(next);
    return true;
  }

  /** The row above (+1) or below. */
  transpose(steps) {
    if (!this.open) return false;
    const [now] = this.chosen;
    if (!now) return this.step(1);
    const { rows } = this;
    const name = rows[clamp(rows.indexOf(now.name) - Math.sign(steps), 0, rows.length - 1)];
    const near = (piece) => Math.max(now.start - piece.end, piece.start - now.end) - (piece.inside === now.inside ? 1e-3 : 0);
    const next = this.items.filter((piece) => piece.name === name).sort((a, b) => near(a) - near(b))[0];
    if (next) this.#take(next);
    return true;
  }

  #take(piece) {
    this.choose(piece.id);
    this.#reveal(piece.name);
    this.host.focus({ preventScroll: true });
  }

  chooseAll() {
    this.choose(...this.items.filter(({ state }) => state !== 'open').map(({ id }) => id));
    return this.chosen.length > 0;
  }

  /** A player at the playhead has to be named first. */
  insert() {
    this.#begin();
    return true;
  }

  get summary() {
    const { chosen } = this;
    return chosen.length === 1 ? this.rowsView.wordsOf(chosen[0]) : `${chosen.length} players, bars ${this.rowsView.bars({ start: Math.min(...chosen.map(startOf)), end: Math.max(...chosen.map(endOf)) })}`;
  }
}
