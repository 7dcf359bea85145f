/**
 * The chord lane: cells on the beat grid. Select: drag moves, the outer 8 px resize, a click chooses and a
 * second click opens the palette, a drag over the ground chooses many. Draw: drag makes a cell. Split: a
 * click cuts. Erase: a click removes. Alt-drag copies. Cells are buttons, so that the keyboard and screen
 * readers reach them.
 */

import { desk } from '../store/desk.js';
import { drag, reach } from '../parts/gestures.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { cover, halves, merged, moved, newId, offBeats, onBeats, put, resized, shifted, startOf, tidy, within, without } from '../music/cells.js';
import { fitSymbol, roman, transposedSymbol } from '../music/chords.js';
import { Lane } from './lane.js';
import { barBeat, beatsToSeconds, secondsToBeats } from '../music/time.js';

const EDGE = 8; // pixels that resize
const NUMERAL = 7; // pixels of a letter of a numeral
const THIN = 48; // pixels of a cell that has none to spare beside its symbol

/** What stands in a cell of some width: the symbol, the numeral where it fits, and what was heard of it. */
function cellMarkup(symbol, numeral, heard, width) {
  const share = heard && width > 84 ? html`<i style="--e:var(--${heard.token})"></i>${heard.words}` : '';
  const whole = numeral.length * NUMERAL + THIN / 2 <= width ? numeral : ''; // or not at all
  return html`<b>${symbol}</b>${width > 34 && (whole || share) ? html`<small>${whole}${share}</small>` : ''}`;
}

export class ChordLane extends Lane {
  last = 'C'; // what Draw puts down first
  edits = { erase: 'erase_chords', move: 'move_chords', resize: 'move_chords' };

  constructor(timeline, host, head) {
    super(timeline, 'chords', 'c', host, head);
    render(head, html`<b>Chords</b><span class="soft"></span><button class="text-button offer to-beats" hidden title="These chords lie where they were heard. Put their borders on the beats; undo brings them back">Snap to beats</button><div class="foot">
      <button class="ic" data-mute="chords" aria-pressed="true"></button>
      <button class="ic" data-menu="chords" title="Progressions, transposition" aria-label="Chord lane menu" aria-haspopup="dialog">${icons.more}</button></div>`);
    this.words = head.querySelector('.soft');
    this.toBeats = head.querySelector('.to-beats');
    this.toBeats.addEventListener('click', () => this.commit('quantise', onBeats(desk.doc.chords, this.low, this.high)));
    render(host, html`<div class="beats"></div><div class="cells"></div><canvas class="ghost"></canvas>
      <div class="hint">${icons.draw}<span>No chords yet. Draw them with <kbd>D</kbd>, or double-click a bar.</span></div>`);
    this.beats = host.querySelector('.beats');
    this.cells = host.querySelector('.cells');
    this.hint = host.querySelector('.hint');
    host.addEventListener('dblclick', (event) => this.#double(event));
    host.addEventListener('contextmenu', (event) => this.#menu(event));
    host.addEventListener('focusin', (event) => {
      const id = event.target.closest('.cell')?.dataset.id;
      if (id && !this.isChosen(id)) this.choose(id);
    });
  }

  find(id) {
    return desk.doc.chords.find((cell) => cell.id === id);
  }

  node(id) {
    return [...this.cells.children].find((node) => node.dataset.id === id);
  }

  draw() {
    const { view, duration } = this.timeline;
    const { grid } = desk.doc;
    const cells = this.items;
    const barPx = (60 / grid.bpm) * grid.beats_per_bar * view.pps;
    this.beats.style.cssText = `--bar:${barPx}px;--beat:${barPx / grid.beats_per_bar}px;--from:${this.x(0)}px;` +
      `width:${Math.max(0, Math.min(this.timeline.width, (duration - view.start) * view.pps))}px`;
    this.beats.classList.toggle('dense', barPx / grid.beats_per_bar < 10);
    if (this.#placed.cells !== cells || this.#placed.key !== desk.key) this.#place(cells);
    for (const { cell, node, numeral } of this.#placed.all) this.#paint(node, cell, numeral);
  }

  #placed = { cells: null, key: '', all: [] }; // a button and a numeral for each cell, until cells or key change

  /** One button a cell, in order of time: known ones stay in the page. */
  #place(cells) {
    this.hint.hidden = cells.length > 0;
    const known = new Map();
    const numeralOf = (symbol) => {
      if (!known.has(symbol)) known.set(symbol, roman(symbol, desk.key));
      return known.get(symbol);
    };
    const all = [];
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
      all.push({ cell, node, numeral: numeralOf(cell.symbol) });
      previous = node;
    }
    for (const node of kept.values()) node.remove();
    this.#placed = { cells, key: desk.key, all };
    this.toBeats.hidden = !offBeats(cells, this.low, this.high);
    this.words.hidden = !this.toBeats.hidden;
    this.words.textContent = cells.length ? [...known.values()].filter(Boolean).slice(0, 4).join(' ') : 'None yet';
  }

  #paint(node, cell, numeral) {
    const { view, region, width: shown } = this.timeline;
    const { grid } = desk.doc;
    const [start, end] = [beatsToSeconds(grid, cell.start), beatsToSeconds(grid, cell.end)];
    const left = (start - view.start) * view.pps;
    const width = Math.max(4, (end - start) * view.pps - 3);
    if (!this.#put(node, left, width, shown)) return;
    const heard = this.#heard(cell);
    const chosen = this.isChosen(cell.id);
    const inside = Boolean(region && start < region.end - 1e-6 && end > region.start + 1e-6);
    const { bar, beat } = barBeat(grid, start);
    const symbol = fitSymbol(cell.symbol, width - (width < THIN ? 6 : 20));
    const sign = [cell.symbol, symbol, numeral, width > 34, width > 84, heard?.words ?? '', heard?.token ?? '', chosen, inside, bar, beat].join('|');
    if (node.dataset.sign === sign) return;
    node.dataset.sign = sign;
    render(node, cellMarkup(symbol, numeral, heard, width));
    node.classList.toggle('thin', width < THIN);
    node.classList.toggle('chosen', chosen);
    node.classList.toggle('in', inside);
    node.setAttribute('aria-label', `Bar ${bar} beat ${beat}, ${cell.symbol}${numeral ? `, ${numeral}` : ''}${heard ? `, heard ${heard.words}` : ''}`);
    node.setAttribute('aria-pressed', chosen);
    node.title = `${cell.symbol} (Enter: palette, J: merge, ↑ ↓: transpose)`;
  }

  /** Where a cell's button stands; whether it is in sight, or has the focus. */
  #put(node, left, width, shown) {
    const away = (left > shown || left + width < 0) && !node.matches(':focus');
    const place = away ? 'away' : `${(left + 1.5).toFixed(1)} ${width.toFixed(1)}`;
    if (node.dataset.place === place) return !away;
    node.dataset.place = place;
    if (away) node.style.display = 'none'; // a long clip has many that nobody sees
    else node.style.cssText = `transform:translateX(${left + 1.5}px);width:${width}px`;
    return !away;
  }

  /** How far the take that plays agrees with a cell: {words, token}, null where there is nothing to say. */
  #heard(cell) {
    const share = desk.ghost.chord(desk.track, cell, desk.doc.grid);
    return share === null ? null : { words: `${Math.round(share * 100)} %`, token: engineOf(desk.track.engine).token };
  }

  // ---- gestures

  press(event, target) {
    const node = target.closest('.cell');
    const { tool } = this.timeline;
    if (event.button !== 0) return undefined;
    this.timeline.palette.close();
    if (tool === 'erase') return this.#erase(event);
    if (tool === 'split') return node && this.#cut(node.dataset.id, this.beatAt(event));
    if (node) return event.shiftKey ? this.toggle(node.dataset.id) : this.#grab(event, node);
    if (tool === 'draw') return this.#drawCell(event);
    return this.#marquee(event);
  }

  #marquee(event) {
    const from = this.rawBeat(event);
    this.timeline.board.focus({ preventScroll: true });
    const pick = (now) => {
      const [a, b] = [from, this.rawBeat(now)].sort((x, y) => x - y);
      this.choose(...desk.doc.chords.filter(({ start, end }) => start < b && end > a).map(({ id }) => id));
    };
    drag(event, this.timeline.board, {
      move: pick,
      end: pick,
      click: () => {
        this.choose();
        desk.player.seek(this.timeline.timeAt(event));
      },
    });
  }

  #erase(event) {
    const gone = new Set();
    const take = (now) => {
      const id = this.host.getRootNode().elementFromPoint(now.clientX, now.clientY)?.closest?.('.cell')?.dataset.id;
      if (id) gone.add(id);
      this.show(without(desk.doc.chords, gone));
    };
    const end = (now) => {
      take(now);
      this.commit('erase_chords', without(desk.doc.chords, gone));
    };
    take(event);
    drag(event, this.timeline.board, { move: take, end, click: end, cancel: () => this.restore() });
  }

  #drawCell(event) {
    const step = this.stepBeats(event) || 0.25;
    const from = this.beatAt(event, Math.floor);
    const id = newId('c');
    const bar = desk.doc.grid.beats_per_bar;
    const cell = (a, b) => tidy({ id, symbol: this.last, start: Math.min(a, b), end: Math.min(Math.max(a, b), this.high) });
    const drawn = (now) => {
      const to = this.beatAt(now);
      return cell(from, to > from ? Math.max(to, from + step) : Math.min(to, from - step) < this.low ? from + step : to);
    };
    drag(event, this.timeline.board, {
      move: (now) => this.show(cover(desk.doc.chords, drawn(now))),
      end: (now) => this.#add(drawn(now)),
      click: () => {
        const start = Math.max(this.low, Math.floor(from / bar + 1e-6) * bar);
        this.#add(cell(start, Math.min(start + bar, this.high)));
      },
      cancel: () => this.restore(),
    });
  }

  #add(cell) {
    if (cell.end - cell.start < 1 / 16) return this.restore();
    this.putAll('draw_chords', [cell]);
    this.choose(cell.id);
    return this.openPalette(cell.id);
  }

  #grab(event, node) {
    const cell = this.find(node.dataset.id);
    if (!cell) return;
    const box = node.getBoundingClientRect();
    const near = reach(event, EDGE, 2 * EDGE);
    const edge = box.width < 3 * near ? null
      : event.clientX - box.left < near ? 'start' : box.right - event.clientX < near ? 'end' : null;
    const already = this.isChosen(cell.id);
    const copy = event.altKey && !edge;
    const from = this.rawBeat(event);
    if (!already) this.choose(cell.id);
    const group = edge ? [cell] : this.chosen;
    const fresh = new Map(group.map(({ id }) => [id, newId('c')]));
    node.focus({ preventScroll: true });
    const changed = (now) => {
      const step = copy ? this.stepBeats() : this.stepBeats(now);
      if (edge) return [tidy(resized(cell, edge, this.beatAt(now), step || 0.25, this.high, this.low))];
      const beats = within(group, this.dragged(cell, from, now, step), this.high, this.low);
      return group.map((item) => ({ ...shifted(item, beats), id: copy ? fresh.get(item.id) : item.id }));
    };
    drag(event, this.timeline.board, {
      move: (now) => this.show(put(desk.doc.chords, changed(now))),
      end: (now) => {
        const items = changed(now);
        this.putAll(copy ? 'paste' : 'move_chords', items);
        if (copy) this.choose(...items.map(({ id }) => id));
      },
      click: () => {
        if (already && this.chosen.length === 1) this.openPalette(cell.id);
        else this.choose(cell.id);
      },
      cancel: () => this.restore(),
    });
  }

  #cut(id, beats) {
    const cell = this.find(id);
    const parts = cell ? halves(cell, beats, newId('c')) : [];
    if (parts.length < 2) return false;
    this.putAll('split_chord', parts);
    this.choose(parts[1].id);
    return true;
  }

  #double(event) {
    if (event.target.closest('.cell') || this.timeline.tool !== 'select') return;
    const bar = desk.doc.grid.beats_per_bar;
    const start = Math.floor(this.rawBeat(event) / bar + 1e-6) * bar;
    this.#add(tidy({ id: newId('c'), symbol: this.last, start: Math.max(start, this.low), end: Math.min(start + bar, this.high) }));
  }

  #menu(event) {
    const id = event.target.closest('.cell')?.dataset.id;
    if (!id) return;
    event.preventDefault();
    this.choose(id);
    this.openPalette(id);
  }

  // ---- actions

  openPalette(id = this.chosen[0]?.id) {
    const cell = id && this.find(id);
    if (!cell) return false;
    this.draw();
    this.timeline.palette.open(cell, this.node(id));
    return true;
  }

  /** Sets the symbol of a cell; the palette's answer. */
  rename(id, symbol) {
    this.last = symbol;
    const chords = desk.doc.chords.map((cell) => (cell.id === id ? { ...cell, symbol } : cell));
    desk.edit('name_chord', { id, symbol }, { chords });
  }

  /** Puts a progression over the span or the clip. */
  fill(cells, from, to) {
    const kept = desk.doc.chords.flatMap((cell) => {
      if (cell.end <= from || cell.start >= to) return [cell];
      const left = cell.start < from ? [{ ...cell, end: from }] : [];
      return cell.end > to ? [...left, { ...cell, id: left.length ? newId('c') : cell.id, start: to }] : left;
    });
    this.commit('set_progression', [...kept, ...cells].sort((a, b) => a.start - b.start));
  }

  /** What is chosen as one chord, with the next one where only one is chosen. */
  merge() {
    const { chosen } = this;
    if (!chosen.length) return false;
    const next = desk.doc.chords[desk.doc.chords.findIndex(({ id }) => id === chosen[0].id) + 1];
    const cells = chosen.length > 1 ? chosen : next ? [chosen[0], next] : [];
    if (cells.length < 2) return false;
    const whole = merged(cells);
    this.commit('merge_chords', put(without(desk.doc.chords, cells.map(({ id }) => id)), [whole]));
    this.choose(whole.id);
    return true;
  }

  split() {
    const here = secondsToBeats(desk.doc.grid, desk.player.position);
    const cell = this.chosen[0] ?? desk.doc.chords.find(({ start, end }) => start < here && end > here);
    if (!cell) return false;
    return this.#cut(cell.id, here > cell.start && here < cell.end ? here : (cell.start + cell.end) / 2);
  }

  transpose(semitones, all = false) {
    const cells = all ? desk.doc.chords : this.chosen;
    if (!cells.length) return false;
    this.putAll('transpose_chords', cells.map((cell) => ({ ...cell, symbol: transposedSymbol(cell.symbol, semitones, desk.key) })));
    return true;
  }

  /** A chord of a bar at the playhead. */
  insert() {
    const bar = desk.doc.grid.beats_per_bar;
    const start = Math.max(this.low, Math.floor(secondsToBeats(desk.doc.grid, desk.player.position) + 1e-6));
    this.#add(tidy({ id: newId('c'), symbol: this.last, start, end: Math.min(start + bar, this.high) }));
    return true;
  }

  /** Chosen by the keyboard: its button takes the focus. */
  step(direction) {
    const found = super.step(direction);
    if (found) this.node(this.chosen[0].id)?.focus({ preventScroll: true });
    return found;
  }

  remove() {
    this.timeline.palette.close(false);
    const done = super.remove();
    if (done) this.timeline.board.focus({ preventScroll: true });
    return done;
  }

  nudge(direction) {
    const { chosen } = this;
    if (chosen.length !== 1) return super.nudge(direction);
    const cell = chosen[0];
    const target = tidy(moved(cell, direction * (this.stepBeats() || 0.25), this.high, this.low));
    if (startOf(target) !== startOf(cell)) this.putAll('move_chords', [target]);
    return true;
  }
}
