/**
 * The chord lane: cells on the beat grid. Select: drag moves, the outer 8 px resize, a click chooses and a
 * second click opens the palette. Draw: drag makes a cell. Erase: a click removes. Alt-drag copies.
 * Cells are buttons, so that the keyboard and screen readers reach them.
 */

import { desk } from './desk.js';
import { drag } from './gestures.js';
import { icons, text } from './icons.js';
import { cover, fitSymbol, moved, resized, roman, without } from './chords.js';
import { barBeat, beatsToSeconds, clamp, secondsToBeats, snapStep, timeToX } from './time.js';

const EDGE = 8; // pixels that resize
const PLACES = 1e4; // beats are kept to a ten-thousandth

const tidy = (cell) => ({ ...cell, start: Math.round(cell.start * PLACES) / PLACES, end: Math.round(cell.end * PLACES) / PLACES });
const newId = () => `c${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

export class ChordLane {
  chosen = null; // id of the chosen cell
  draft = null; // cells while a gesture goes on
  last = 'C'; // what Draw puts down first

  constructor(timeline, host, head) {
    this.timeline = timeline;
    this.host = host;
    head.innerHTML = `<b>Chords</b><span class="soft"></span>`;
    this.words = head.querySelector('.soft');
    host.innerHTML = `<div class="beats"></div><div class="cells"></div>
      <div class="hint">${icons.draw}<span>No chords yet. Draw them with <kbd>D</kbd>, or double-click a bar.</span></div>`;
    this.beats = host.querySelector('.beats');
    this.cells = host.querySelector('.cells');
    this.hint = host.querySelector('.hint');
    host.addEventListener('dblclick', (event) => this.#double(event));
    host.addEventListener('contextmenu', (event) => this.#menu(event));
    host.addEventListener('focusin', (event) => {
      const id = event.target.closest('.cell')?.dataset.id;
      if (id && id !== this.chosen) this.choose(id);
    });
  }

  /** Beats on the timeline, the last one possibly part of a bar. */
  get length() {
    return secondsToBeats(desk.doc.grid, this.timeline.duration);
  }

  /** Chord borders snap to beats at the coarsest: a chord on a beat is the rule. */
  stepBeats(event) {
    if (event?.altKey && event.type !== 'pointerdown') return 0;
    const { snap } = this.timeline;
    if (snap === 'off') return 0;
    return (snapStep(snap, desk.doc.grid, desk.doc.frame_rate) * desk.doc.grid.bpm) / 60;
  }

  beatAt(event, rounding = Math.round) {
    const beats = secondsToBeats(desk.doc.grid, this.timeline.timeAt(event));
    const step = this.stepBeats(event);
    return clamp(step ? rounding(beats / step + (rounding === Math.floor ? 1e-6 : 0)) * step : beats, 0, this.length);
  }

  find(id) {
    return desk.doc.chords.find((cell) => cell.id === id);
  }

  choose(id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.timeline.redraw();
  }

  draw() {
    const { view, duration } = this.timeline;
    const { grid, region } = desk.doc;
    const cells = this.draft ?? desk.doc.chords;
    if (this.chosen && !cells.some((cell) => cell.id === this.chosen)) this.chosen = null;
    const barPx = (60 / grid.bpm) * grid.beats_per_bar * view.pps;
    this.beats.style.cssText = `--bar:${barPx}px;--beat:${barPx / grid.beats_per_bar}px;--from:${timeToX(view, grid.offset)}px;` +
      `width:${Math.min(this.timeline.width, timeToX(view, duration))}px`;
    this.beats.classList.toggle('dense', barPx / grid.beats_per_bar < 10);
    this.hint.hidden = cells.length > 0;
    const numerals = [...new Set(cells.map((cell) => roman(cell.symbol, desk.key)).filter(Boolean))];
    this.words.textContent = cells.length ? numerals.slice(0, 5).join(' ') : 'None yet';
    const kept = new Map([...this.cells.children].map((node) => [node.dataset.id, node]));
    let previous = null;
    for (const cell of cells) {
      let node = kept.get(cell.id);
      kept.delete(cell.id);
      if (!node) {
        node = document.createElement('button');
        node.className = 'cell';
        node.dataset.id = cell.id;
      }
      const next = previous ? previous.nextSibling : this.cells.firstChild;
      if (next !== node) this.cells.insertBefore(node, next); // only when out of order: moving a node drops its focus
      this.#paint(node, cell, region);
      previous = node;
    }
    for (const node of kept.values()) node.remove();
  }

  #paint(node, cell, region) {
    const { view } = this.timeline;
    const { grid } = desk.doc;
    const [start, end] = [beatsToSeconds(grid, cell.start), beatsToSeconds(grid, cell.end)];
    const left = timeToX(view, start);
    const width = Math.max(4, (end - start) * view.pps - 3);
    node.style.transform = `translateX(${left + 1.5}px)`;
    node.style.width = `${width}px`;
    const numeral = roman(cell.symbol, desk.key);
    const sign = `${cell.symbol}|${numeral}|${Math.round(width)}`;
    if (node.dataset.sign !== sign) {
      node.dataset.sign = sign;
      node.innerHTML = `<b>${text(fitSymbol(cell.symbol, width - 10))}</b>${width > 34 ? `<small>${text(numeral)}</small>` : ''}`;
    }
    node.classList.toggle('chosen', cell.id === this.chosen);
    node.classList.toggle('in', Boolean(region && start < region.end - 1e-6 && end > region.start + 1e-6));
    const { bar, beat } = barBeat(grid, start);
    node.setAttribute('aria-label', `Bar ${bar} beat ${beat}, ${cell.symbol}${numeral ? `, ${numeral}` : ''}`);
    node.setAttribute('aria-pressed', cell.id === this.chosen);
    node.title = cell.symbol;
  }

  // ---- gestures

  press(event) {
    const node = event.target.closest('.cell');
    const { tool } = this.timeline;
    if (event.button !== 0) return;
    this.timeline.palette.close();
    if (tool === 'erase') return this.#erase(event);
    if (node) return this.#grab(event, node);
    if (tool === 'draw') return this.#drawCell(event);
    this.choose(null);
    this.timeline.board.focus({ preventScroll: true });
  }

  #erase(event) {
    const gone = new Set();
    const take = (now) => {
      const root = this.host.getRootNode();
      const id = root.elementFromPoint(now.clientX, now.clientY)?.closest?.('.cell')?.dataset.id;
      if (id) gone.add(id);
      this.draft = desk.doc.chords.filter((cell) => !gone.has(cell.id));
      this.timeline.redraw();
    };
    const end = (now) => {
      take(now);
      const chords = this.draft;
      this.draft = null;
      if (gone.size) desk.edit('set_lanes', { chords }, { chords });
    };
    take(event);
    drag(event, this.timeline.board, { move: take, end, click: end, cancel: () => this.#restore() });
  }

  #drawCell(event) {
    const step = this.stepBeats(event) || 0.25;
    const from = this.beatAt(event, Math.floor);
    const id = newId();
    const bar = desk.doc.grid.beats_per_bar;
    const put = (a, b) => tidy({ id, symbol: this.last, start: Math.min(a, b), end: Math.min(Math.max(a, b), this.length) });
    const show = (now) => {
      const to = this.beatAt(now);
      this.draft = cover(desk.doc.chords, put(from, to > from ? Math.max(to, from + step) : Math.min(to, from - step) < 0 ? from + step : to));
      this.timeline.redraw();
    };
    drag(event, this.timeline.board, {
      move: show,
      end: (now) => {
        show(now);
        this.#put(this.draft.find((cell) => cell.id === id));
        this.openPalette(id);
      },
      click: () => {
        const start = Math.floor(from / bar + 1e-6) * bar;
        this.#put(put(start, Math.min(start + bar, this.length)));
        this.openPalette(id);
      },
      cancel: () => this.#restore(),
    });
  }

  #grab(event, node) {
    const cell = this.find(node.dataset.id);
    if (!cell) return;
    const box = node.getBoundingClientRect();
    const edge = box.width < 3 * EDGE ? null
      : event.clientX - box.left < EDGE ? 'start' : box.right - event.clientX < EDGE ? 'end' : null;
    const already = this.chosen === cell.id;
    const copy = event.altKey && !edge;
    const from = secondsToBeats(desk.doc.grid, this.timeline.timeAt(event));
    this.choose(cell.id);
    node.focus({ preventScroll: true });
    const changed = (now) => {
      const step = this.stepBeats(copy ? null : now);
      if (edge) return tidy(resized(cell, edge, this.beatAt(now), step || 0.25, this.length));
      const shift = secondsToBeats(desk.doc.grid, this.timeline.timeAt(now)) - from;
      const target = moved(cell, step ? Math.round((cell.start + shift) / step) * step - cell.start : shift, this.length);
      return tidy(copy ? { ...target, id: copyId } : target);
    };
    const copyId = newId();
    const show = (now) => {
      this.draft = cover(desk.doc.chords, changed(now));
      this.timeline.redraw();
    };
    drag(event, this.timeline.board, {
      move: show,
      end: (now) => {
        const target = changed(now);
        if (copy) this.#put(target);
        else if (edge) this.#send('resize_chord', { id: cell.id, start: target.start, end: target.end }, target);
        else this.#send('move_chord', { id: cell.id, start: target.start }, target);
      },
      click: () => already && this.openPalette(cell.id),
      cancel: () => this.#restore(),
    });
  }

  #restore() {
    this.draft = null;
    this.timeline.redraw();
  }

  #put(cell) {
    this.chosen = cell.id;
    this.#send('put_chord', cell, cell);
  }

  #send(name, payload, cell) {
    this.draft = null;
    desk.edit(name, payload, { chords: cover(desk.doc.chords, cell) });
  }

  #double(event) {
    if (event.target.closest('.cell') || this.timeline.tool !== 'select') return;
    const bar = desk.doc.grid.beats_per_bar;
    const start = Math.floor(secondsToBeats(desk.doc.grid, this.timeline.timeAt(event)) / bar + 1e-6) * bar;
    const cell = { id: newId(), symbol: this.last, start, end: Math.min(start + bar, this.length) };
    if (cell.end - cell.start < 0.25) return;
    this.#put(tidy(cell));
    this.openPalette(cell.id);
  }

  #menu(event) {
    const id = event.target.closest('.cell')?.dataset.id;
    if (!id) return;
    event.preventDefault();
    this.choose(id);
    this.openPalette(id);
  }

  // ---- actions

  openPalette(id = this.chosen) {
    const cell = id && this.find(id);
    if (!cell) return;
    this.choose(id);
    this.draw();
    this.timeline.palette.open(cell, [...this.cells.children].find((node) => node.dataset.id === id));
  }

  /** Sets the symbol of a cell; the palette's answer. */
  name(id, symbol) {
    this.last = symbol;
    const chords = desk.doc.chords.map((cell) => (cell.id === id ? { ...cell, symbol } : cell));
    desk.edit('name_chord', { id, symbol }, { chords });
  }

  deleteChosen() {
    const { chosen } = this;
    if (!chosen) return;
    this.chosen = null;
    this.timeline.palette.close();
    desk.edit('delete_chord', { id: chosen }, { chords: without(desk.doc.chords, chosen) });
    this.timeline.board.focus({ preventScroll: true });
  }

  nudge(sign) {
    const cell = this.find(this.chosen);
    if (!cell) return;
    const target = tidy(moved(cell, sign * (this.stepBeats() || 0.25), this.length));
    if (target.start !== cell.start) this.#send('move_chord', { id: cell.id, start: target.start }, target);
  }
}
