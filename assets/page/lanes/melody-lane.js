/**
 * The melody lane: a piano roll of one voice, MIDI 43-95, drawn on a canvas. Select: drag moves in time and
 * pitch, the outer 6 px resize, a drag over the ground chooses many. Draw: drag makes a note. Split: a click
 * cuts. Erase: a drag removes. Alt-drag copies; Alt while dragging turns snapping off. The keys at the left
 * edge scroll the pitches.
 */

import { desk } from '../store/desk.js';
import { drag, reach } from '../parts/gestures.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { cover, halves, newId, put, resized, shifted, tidy, within, without } from '../music/cells.js';
import { scaleOf } from '../music/chords.js';
import { HIGH, LOW, fitWords, fittingKey, inRange, pitchName, pitchWithin, transposed } from '../music/notes.js';
import { CanvasLane } from './canvas-lane.js';
import { drawGhost, drawKeys, drawNames, drawNotes } from './melody-drawing.js';
import { announceItem } from './lane-grid.js';
import { barBeat, barWords, beatsToSeconds, clamp, secondsToBeats } from '../music/time.js';
import { boxOf, prepare } from '../parts/wave.js';

const EDGE = 6; // pixels that resize

export class MelodyLane extends CanvasLane {
  edits = { erase: 'erase_notes', move: 'move_notes', resize: 'resize_notes' };
  lastLength = 1; // beats, of a note that a click draws
  lastPitch = 67;
  #top = null; // pitch at the upper edge, null = follow the notes: until one presses here, or scrolls
  #shown = null; // the notes that were drawn last
  #counted = { notes: null, middle: 67 };

  constructor(timeline, host, head) {
    super(timeline, 'melody', 'n', host, head);
    render(head, html`<b>Melody</b><span class="soft"></span><button class="text-button offer" hidden></button><div class="foot">
      <button class="ic" data-mute="melody" aria-pressed="true"></button>
      <button class="ic" data-midi="melody" title="Open a MIDI file" aria-label="Open a MIDI file for the melody">${icons.midi}</button>
      <button class="ic" data-menu="melody" title="Transpose, quantise, MIDI" aria-label="Melody lane menu" aria-haspopup="dialog">${icons.more}</button></div>
      <canvas class="keys" title="Drag or turn the wheel to scroll the pitches"></canvas>`);
    this.words = head.querySelector('.soft');
    this.offer = head.querySelector('.offer');
    this.offer.addEventListener('click', () => this.useFittingKey());
    this.keys = head.querySelector('.keys');
    render(host, html`<canvas></canvas><div class="hint card" role="row"><div role="gridcell"><b>No melody yet</b>
      <p>Draw notes with <kbd>D</kbd> here, or drop a MIDI file.</p><p class="buttons">
      <button data-midi="melody">${icons.midi}<span>Open MIDI</span></button></p></div></div>`);
    this.canvas = host.querySelector('canvas');
    this.hint = host.querySelector('.hint');
    host.addEventListener('dblclick', (event) => this.#double(event));
    this.keys.addEventListener('pointerdown', (event) => this.#scrollBy(event));
    this.keys.addEventListener('wheel', (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.scroll(-Math.sign(event.deltaY));
    }, { passive: false });
  }

  // ---- rows

  get height() {
    return boxOf(this.host).height || 1;
  }

  /** Pixels of a semitone: tall enough to see and hit, all 53 where they fit. */
  get row() {
    return clamp(this.height / 22, 6.5, 16);
  }

  get rows() {
    return this.height / this.row;
  }

  /** The pitch at the upper edge, not necessarily whole. */
  get top() {
    return clamp(this.#top ?? Math.ceil(this.#middle() + this.rows / 2), LOW + this.rows, HIGH + 1);
  }

  /** The middle of all pitches, counted once for the notes that there are. */
  #middle() {
    const notes = desk.doc.melody;
    if (this.#counted.notes !== notes) {
      const pitches = notes.map(({ pitch }) => pitch);
      this.#counted = { notes, middle: notes.length ? (Math.min(...pitches) + Math.max(...pitches)) / 2 : 67 };
    }
    return this.#counted.middle;
  }

  /** Rows stand still under the hand; notes that come from elsewhere and lie out of sight are looked for. */
  #look(notes) {
    if (this.#shown === notes) return;
    this.#shown = notes;
    const inSight = ({ pitch }) => pitch < this.top && pitch >= this.top - this.rows;
    if (this.#top !== null && notes.length && !notes.some(inSight)) this.#top = null;
  }

  scroll(semitones) {
    this.#top = clamp(this.top + semitones, LOW + this.rows, HIGH + 1);
    this.timeline.redraw();
  }

  /** Scrolls so that a pitch is in sight. */
  reveal(pitch) {
    if (pitch + 1 > this.top) this.scroll(pitch + 2 - this.top);
    else if (pitch < this.top - this.rows) this.scroll(pitch - 1 - (this.top - this.rows));
  }

  y(pitch) {
    return (this.top - pitch - 1) * this.row;
  }

  pitchAt(event) {
    const box = this.host.getBoundingClientRect();
    return inRange(Math.floor(this.top - (event.clientY - box.top) / this.row));
  }

  // ---- drawing

  draw(colour) {
    const { c, width, height } = prepare(this.canvas, boxOf(this.canvas));
    const { view, duration } = this.timeline;
    const notes = this.items;
    this.#look(notes);
    const end = Math.min(width, (duration - view.start) * view.pps);
    const scale = scaleOf(desk.key);
    const [first, last] = [Math.max(LOW, Math.floor(this.top - this.rows) - 1), Math.min(HIGH, Math.ceil(this.top))];
    c.fillStyle = colour('row');
    c.fillRect(0, 0, width, height);
    c.fillStyle = colour('row-key');
    for (let pitch = first; pitch <= last; pitch++) if (scale.has(pitch % 12)) c.fillRect(0, this.y(pitch) + 0.5, end, this.row - 1);
    this.drawBeats(c, colour, { width, tall: height });
    c.fillStyle = colour('line2');
    for (let pitch = first; pitch <= last; pitch++) if (pitch % 12 === 0) c.fillRect(0, Math.round(this.y(pitch) + this.row), end, 1);
    this.drawSpan(c, colour, height);
    drawNotes(this, c, colour, width);
    drawGhost(this, c, colour, width);
    drawNames(this, c, colour, end);
    this.drawMarquee(c, colour);
    this.hint.hidden = notes.length > 0 || this.timeline.tool === 'draw';
    this.words.textContent = fitWords(notes, desk.key);
    this.#offerKey(notes);
    drawKeys(this, colour, scale);
    this.#name();
  }

  #fitting = { notes: null, key: '', found: '' }; // counted once for the notes and the key that there are

  /** A key that the line fits far better than the one that stands in the bar, to be had by a click. */
  #offerKey(notes) {
    if (this.draft) return; // not while a gesture goes on
    if (this.#fitting.notes !== notes || this.#fitting.key !== desk.key) this.#fitting = { notes, key: desk.key, found: fittingKey(notes, desk.key) };
    const { found } = this.#fitting;
    this.offer.hidden = !found;
    if (found && this.offer.textContent !== `Use ${found}`) Object.assign(this.offer, { textContent: `Use ${found}`, title: `Most of these notes lie in ${found}. The notes stay; chords and rows are offered in that key` });
  }

  useFittingKey() {
    const { found: key } = this.#fitting;
    if (key) desk.edit('set_key', { key }, { key });
  }

  #name() {
    const { items, chosen } = this;
    const note = chosen[0];
    this.canvas.textContent = '';
    announceItem(this.host, {
      label: `Melody, ${items.length} notes`,
      rows: HIGH - LOW + 1,
      columns: items.length,
      row: note ? HIGH - note.pitch + 1 : 0,
      column: note ? items.indexOf(note) + 1 : 0,
      words: note ? this.#wordsOf(note) : '',
      chosen: chosen.length,
    });
  }

  #wordsOf({ start, end, pitch }) {
    const { bar, beat } = barBeat(desk.doc.grid, beatsToSeconds(desk.doc.grid, start));
    return `${pitchName(pitch)}, bar ${bar} beat ${beat}, ${Number((end - start).toFixed(2))} beats`;
  }

  // ---- gestures

  hit(event) {
    const beats = this.rawBeat(event);
    const pitch = this.pitchAt(event);
    // Short notes can be met; a pen that is put beside a note draws, its edges are taken hold of inside it.
    const slack = reach(event, this.timeline.tool === 'draw' ? 0 : 3, 12) / (this.timeline.view.pps * (60 / desk.doc.grid.bpm)); // short notes can be met
    const there = desk.doc.melody.filter(({ start, end }) => beats >= start - slack && beats < end + slack);
    // Rows are thinner than a finger: the nearest note is meant, but where one is drawn beside another.
    const rows = this.timeline.tool === 'draw' ? 0 : reach(event, 0, 12) / this.row;
    const far = (note) => Math.abs(note.pitch - pitch) * 1e3 + Math.max(note.start - beats, beats - note.end, 0);
    return there.filter((note) => Math.abs(note.pitch - pitch) <= rows).sort((a, b) => far(a) - far(b))[0];
  }

  /** Which edge of a note a pointer is on; none where the note is too short to tell. */
  #edge(note, event) {
    const x = event.clientX - this.host.getBoundingClientRect().left;
    const [from, to] = [this.x(note.start), this.x(note.end)];
    const edge = reach(event, EDGE, 3 * EDGE);
    if (to - from < 3 * edge) return x > to - edge / 2 ? 'end' : null;
    return x - from < edge ? 'start' : to - x < edge ? 'end' : null;
  }

  /** The pointer tells what a press would do. */
  hover(event) {
    const { tool } = this.timeline;
    const note = tool === 'select' || tool === 'draw' ? this.hit(event) : null;
    this.host.style.cursor = note ? (this.#edge(note, event) ? 'ew-resize' : 'grab') : '';
  }

  press(event) {
    if (event.button !== 0) return undefined;
    this.host.focus({ preventScroll: true });
    this.#top = this.top;
    const { tool } = this.timeline;
    const note = this.hit(event);
    if (tool === 'erase') return this.#erase(event);
    if (tool === 'split') return note && this.#cut(note, this.beatAt(event));
    if (note && event.shiftKey) return this.toggle(note.id);
    if (note) return this.#grab(event, note);
    return tool === 'draw' ? this.#drawNote(event) : this.#marquee(event);
  }

  #sound(pitch) {
    if (desk.synth.on && !desk.player.playing) desk.synth.blip({ kind: 'note', pitches: [pitch] });
  }

  #drawNote(event) {
    const step = Math.min(this.stepBeats(event) || 1 / 16, 1);
    const from = this.beatAt(event, Math.floor, step);
    const id = newId('n');
    const pitch = this.pitchAt(event);
    const drawn = (now) => {
      const to = now.altKey ? this.rawBeat(now) : this.beatAt(now, Math.ceil, step);
      return tidy({ id, start: from, end: clamp(to, from + (now.altKey ? 1 / 16 : step), Math.max(this.high, from + 1 / 16)), pitch });
    };
    this.#sound(pitch);
    drag(event, this.timeline.board, {
      move: (now) => this.show(cover(desk.doc.melody, drawn(now))),
      end: (now) => this.#add(drawn(now)),
      click: () => this.#add(tidy({ id, start: from, end: Math.min(from + Math.max(step, this.lastLength), this.high), pitch })),
      cancel: () => this.restore(),
    });
  }

  #add(note) {
    if (note.end - note.start < 1 / 16) return this.restore();
    [this.lastLength, this.lastPitch] = [note.end - note.start, note.pitch];
    this.putAll('draw_notes', [note]);
    return this.choose(note.id);
  }

  #grab(event, note) {
    const edge = this.#edge(note, event);
    const copy = event.altKey && !edge;
    const from = this.rawBeat(event);
    const held = this.pitchAt(event);
    if (!this.isChosen(note.id)) this.choose(note.id);
    const group = edge ? [note] : this.chosen;
    const fresh = new Map(group.map(({ id }) => [id, newId('n')]));
    let heard = note.pitch;
    const changed = (now) => {
      const step = copy ? this.stepBeats() : this.stepBeats(now);
      if (edge) return [tidy(resized(note, edge, this.beatAt(now, Math.round, step), step ? Math.min(step, 1) : 1 / 16, this.high, this.low))];
      const beats = within(group, this.dragged(note, from, now, step), this.high, this.low);
      const semitones = pitchWithin(group, this.pitchAt(now) - held);
      return group.map((item) => ({ ...shifted(item, beats), pitch: item.pitch + semitones, id: copy ? fresh.get(item.id) : item.id }));
    };
    drag(event, this.timeline.board, {
      move: (now) => {
        const items = changed(now);
        const pitch = items[group.indexOf(note)].pitch;
        if (pitch !== heard) this.#sound(heard = pitch);
        this.show(put(desk.doc.melody, items));
      },
      end: (now) => {
        const items = changed(now);
        if (edge) this.lastLength = items[0].end - items[0].start;
        this.putAll(copy ? 'paste' : edge ? 'resize_notes' : 'move_notes', items);
        if (copy) this.choose(...items.map(({ id }) => id));
      },
      click: () => {
        this.#sound(note.pitch);
        this.choose(note.id);
      },
      cancel: () => this.restore(),
    });
  }

  #erase(event) {
    const gone = new Set();
    const take = (now) => {
      const note = this.hit(now);
      if (note) gone.add(note.id);
      this.show(without(desk.doc.melody, gone));
    };
    const end = (now) => {
      take(now);
      this.commit('erase_notes', without(desk.doc.melody, gone));
    };
    take(event);
    drag(event, this.timeline.board, { move: take, end, click: end, cancel: () => this.restore() });
  }

  #marquee(event) {
    const caught = ({ x, y, w, h }) => desk.doc.melody.filter((note) =>
      this.x(note.end) > x && this.x(note.start) < x + w && this.y(note.pitch) + this.row > y && this.y(note.pitch) < y + h);
    this.chooseByDrag(event, caught, () => {
      this.choose();
      desk.player.seek(this.timeline.timeAt(event));
    });
  }

  #cut(note, beats) {
    const parts = halves(note, beats, newId('n'));
    if (parts.length < 2) return false;
    this.putAll('split_note', parts);
    this.choose(parts[1].id);
    return true;
  }

  #double(event) {
    this.#top = this.top;
    if (this.timeline.tool !== 'select' || this.hit(event)) return;
    const step = Math.min(this.stepBeats(event) || 0.25, 1);
    const start = this.beatAt(event, Math.floor, step);
    this.#add(tidy({ id: newId('n'), start, end: Math.min(start + Math.max(step, this.lastLength), this.high), pitch: this.pitchAt(event) }));
  }

  #scrollBy(event) {
    const from = this.top;
    const go = (now) => {
      this.#top = clamp(from + (now.clientY - event.clientY) / this.row, LOW + this.rows, HIGH + 1);
      this.timeline.redraw();
    };
    drag(event, this.timeline.board, { move: go, end: go });
  }

  // ---- actions

  transpose(semitones, all = false) {
    const notes = all ? desk.doc.melody : this.chosen;
    if (!notes.length) return false;
    const changed = transposed(notes, semitones);
    if (changed === notes) this.timeline.say(`The models know ${pitchName(LOW)} to ${pitchName(HIGH)}: the notes stay.`);
    else this.putAll('transpose_notes', changed);
    if (!all) {
      this.lastPitch = changed[0].pitch;
      this.reveal(changed[0].pitch);
      this.#sound(changed[0].pitch);
    }
    return true;
  }

  split() {
    const here = secondsToBeats(desk.doc.grid, desk.player.position);
    const note = this.chosen[0] ?? desk.doc.melody.find(({ start, end }) => start < here && end > here);
    return note ? this.#cut(note, here > note.start && here < note.end ? here : (note.start + note.end) / 2) : false;
  }

  /** A note at the playhead, of the last pitch and length. */
  insert() {
    this.#top = this.top;
    const step = Math.min(this.stepBeats() || 0.25, 1);
    const { chosen } = this;
    const here = secondsToBeats(desk.doc.grid, desk.player.position);
    const start = chosen.length ? chosen.at(-1).end : Math.max(this.low, Math.round(here / step) * step);
    this.#add(tidy({ id: newId('n'), start, end: Math.min(start + Math.max(step, this.lastLength), this.high), pitch: this.lastPitch }));
    this.reveal(this.lastPitch);
    return true;
  }

  step(direction) {
    const found = super.step(direction);
    if (found) {
      const note = this.chosen[0];
      this.reveal(note.pitch);
      this.timeline.reveal(beatsToSeconds(desk.doc.grid, note.start));
      this.#sound(note.pitch);
    }
    return found;
  }

  /** Words for the tool bar while notes are chosen. */
  get summary() {
    const { chosen } = this;
    return chosen.length === 1 ? this.#wordsOf(chosen[0]) : `${chosen.length} notes, bar ${barWords(desk.doc.grid, beatsToSeconds(desk.doc.grid, chosen[0].start))}`;
  }
}

