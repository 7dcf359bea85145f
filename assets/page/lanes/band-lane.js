/**
 * The band lane: who plays when. Folded, a row of cells with the players in words; open, a row for each player
 * with bars, which span and words cut into pieces. What there is, its edits and its keys; the pointer's part is
 * in `band-gestures.js`, what is drawn in `band-rows.js` and `band-cells.js`.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { capital, cleared, cycled, inOrder, pieces, putParts, rowsShown, said, solo } from '../music/band.js';
import { BandGestures } from './band-gestures.js';
import { endOf, newId, shifted, startOf, tidy, within } from '../music/cells.js';
import { BandAdd, BandMenu } from './band-dialogs.js';
import { BandCells, UNSURE, listeningWords } from './band-cells.js';
import { ADD, ROW, BandRows } from './band-rows.js';
import { Lane } from './lane.js';
import { percent } from '../takes/take-words.js';
import { clamp, secondsToBeats, xToTime } from '../music/time.js';
import { boxOf } from '../parts/wave.js';

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
    render(head, html`<button class="fold text-button" data-action="band" aria-expanded="false"><b>Band</b>${icons.down}</button><span class="soft"></span>
      <div class="names"><ul></ul></div><button class="add text-button" aria-haspopup="dialog" title="One more player: over the span, else over what is in view">${icons.plus}<span>Add</span></button>`);
    render(host, html`<canvas></canvas><div class="stretches"></div><div class="hint"></div>`);
    this.rowsView = new BandRows(this);
    this.cellsView = new BandCells(this);
    this.adding = new BandAdd(this);
    this.menu = new BandMenu(this);
    head.querySelector('.add').addEventListener('click', (event) => this.adding.open(event.currentTarget));
    this.gestures = new BandGestures(this);
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
    const words = listeningWords(hearing) || (desk.doc.bandUnsure && this.rows.length ? UNSURE : '');
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
    render(this.head.querySelector('ul'), html`${names.map((name) => html`<li title="${capital(name)}">${capital(name)}</li>`)}`);
    this.head.querySelector('.soft').textContent = Number.isFinite(hearing) ? percent(hearing) : words && '?';
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

  // ---- gestures

  hover(event) {
    this.gestures.hover(event);
  }

  press(event) {
    return this.gestures.press(event);
  }

  hold(event) {
    this.gestures.hold(event);
  }

  // ---- edits

  /** The lane with pieces in other places; what only words say, and loses time, is none there. */
  replaced(before, after, ids) {
    const lane = before.reduce((cells, piece) => (piece.cell ? cleared(cells, piece) : said(cells, piece, 'none')), desk.doc.band);
    return putParts(lane, after.map((piece, i) => {
      const was = before[i];
      const shrunk = piece.start >= was.start - 1e-6 && piece.end <= was.end + 1e-6;
      return { id: ids.get(was.id), name: was.name, start: piece.start, end: piece.end, plays: was.state !== 'none', sure: was.cell?.sure ?? 1, by: shrunk && was.cell ? was.cell.by : 'drawn' };
    }));
  }

  /** From paste and repeat: pieces become cells of their own. */
  putAll(edit, changed) {
    this.commit(edit, putParts(desk.doc.band, changed.filter(({ state }) => state !== 'open')
      .map(({ id, name, start, end, state }) => ({ id, name, start, end, plays: state !== 'none', sure: 1, by: 'drawn' }))));
  }

  /** Says one thing of places of rows: "asked", "none" or "open", as one edit. */
  say(places, state) {
    this.commit('set_band', places.reduce((cells, place) => said(cells, { name: place.name, start: place.start, end: place.end }, state), desk.doc.band));
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
    this.commit('solo_band', solo(desk.doc.band, { name, ...place }, this.rows));
  }

  /** Drawing where there is no row yet begins with a name. */
  begin() {
    this.fold(true);
    this.adding.open(this.head.querySelector('.add'));
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
    this.commit('erase_band', desk.doc.band.filter((cell) => cell.name !== name));
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
    if (drawn.length) this.commit('erase_band', drawn.reduce(cleared, desk.doc.band));
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
    this.commit(edit, this.replaced(group, group.map(change), ids));
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
    this.begin();
    return true;
  }

  get summary() {
    const { chosen } = this;
    return chosen.length === 1 ? this.rowsView.wordsOf(chosen[0]) : `${chosen.length} players, bars ${this.rowsView.bars({ start: Math.min(...chosen.map(startOf)), end: Math.max(...chosen.map(endOf)) })}`;
  }
}
