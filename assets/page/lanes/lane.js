/**
 * What the chord, melody and drum lanes have in common: the selection, places in beats, and the actions of
 * keys and menus on what is chosen. A lane's items live in the desk; `draft` shows a gesture that goes on.
 * One gesture is one edit, sent at its end.
 */

import { desk } from '../store/desk.js';
import { copies, endOf, neighbour, put, quantised, shifted, startOf, tidy, within, without } from '../music/cells.js';
import { beatsToSeconds, clamp, secondsToBeats, snapStep, timeToX } from '../music/time.js';

export class Lane {
  /** @type {Record<string, string>} what its edits are called: {erase, move, resize} */
  edits = {};
  draft = null; // items while a gesture goes on

  /** `name` is the lane's key in the document; `prefix` begins the ids of its items. */
  constructor(timeline, name, prefix, host, head) {
    this.timeline = timeline;
    this.name = name;
    this.prefix = prefix;
    this.host = host;
    this.head = head;
  }

  /** The pointer moves over it; lanes that say what a press would do have their own. */
  hover(_event) {}

  get items() {
    return this.draft ?? desk.doc[this.name];
  }

  // ---- places

  /** Beats at the clip's start and end; the first is negative where beat 1 comes later. */
  get low() {
    return secondsToBeats(desk.doc.grid, 0);
  }

  get high() {
    return secondsToBeats(desk.doc.grid, this.timeline.duration);
  }

  /** What a gesture snaps to, in beats; 0 = nothing. */
  stepBeats(event) {
    if (event?.altKey && event.type !== 'pointerdown') return 0;
    const { snap } = this.timeline;
    return snap === 'off' ? 0 : (snapStep(snap, desk.doc.grid, desk.doc.frame_rate) * desk.doc.grid.bpm) / 60;
  }

  rawBeat(event) {
    return secondsToBeats(desk.doc.grid, this.timeline.timeAt(event));
  }

  beatAt(event, rounding = Math.round, step = this.stepBeats(event)) {
    const beats = this.rawBeat(event);
    return clamp(step ? rounding(beats / step + (rounding === Math.floor ? 1e-6 : 0)) * step : beats, this.low, this.high);
  }

  x(beats) {
    return timeToX(this.timeline.view, beatsToSeconds(desk.doc.grid, beats));
  }

  /** How far a drag has come in beats, so that `item` lands on the snap grid. */
  dragged(item, from, event, step = this.stepBeats(event)) {
    const shift = this.rawBeat(event) - from;
    return step ? Math.round((startOf(item) + shift) / step) * step - startOf(item) : shift;
  }

  // ---- the selection

  get chosen() {
    const { selection } = this.timeline;
    return selection.lane === this.name ? this.items.filter(({ id }) => selection.ids.has(id)) : [];
  }

  isChosen(id) {
    return this.timeline.selection.lane === this.name && this.timeline.selection.ids.has(id);
  }

  choose(...ids) {
    this.timeline.select(this.name, ids);
  }

  toggle(id) {
    const ids = new Set(this.chosen.map((item) => item.id));
    if (!ids.delete(id)) ids.add(id);
    this.choose(...ids);
  }

  // ---- edits

  show(items) {
    this.draft = items;
    this.timeline.redraw();
  }

  restore() {
    this.draft = null;
    this.timeline.redraw();
  }

  /** Sends a new state of the lane under the name of an edit; what did not change is not sent. */
  commit(edit, items) {
    this.draft = null;
    desk.editLane(edit, this.name, items.map(tidy));
    this.timeline.redraw();
  }

  putAll(edit, changed) {
    this.commit(edit, put(desk.doc[this.name], changed.map(tidy)));
  }

  // ---- actions on what is chosen; each says false where there is nothing to do

  remove() {
    const ids = this.chosen.map(({ id }) => id);
    if (!ids.length) return false;
    this.commit(this.edits.erase, without(desk.doc[this.name], ids));
    this.choose();
    return true;
  }

  nudge(direction) {
    const { chosen } = this;
    if (!chosen.length) return false;
    const beats = within(chosen, direction * (this.stepBeats() || 1 / 16), this.high, this.low);
    if (Math.abs(beats) > 1e-6) this.putAll(this.edits.move, chosen.map((item) => shifted(item, beats)));
    return true;
  }

  /** The end of a chosen cell, by a step. */
  stretch(direction) {
    const { chosen } = this;
    if (!chosen.length || chosen[0].time !== undefined) return false;
    const step = this.stepBeats() || 1 / 16;
    this.putAll(this.edits.resize, chosen.map((cell) =>
      ({ ...cell, end: clamp(cell.end + direction * step, cell.start + Math.min(step, cell.end - cell.start), this.high) })));
    return true;
  }

  quantise() {
    const items = this.chosen.length ? this.chosen : desk.doc[this.name];
    if (!items.length) return false;
    const step = this.stepBeats() || 0.25;
    this.putAll('quantise', quantised(items, this.name === 'chords' ? step : Math.min(step, 0.5)));
    return true;
  }

  copy() {
    const items = this.chosen;
    if (!items.length) return false;
    const from = Math.min(...items.map(startOf));
    this.timeline.clipboard = { lane: this.name, items: items.map((item) => shifted(item, -from)) };
    return true;
  }

  /** The clipboard's items at the playhead, on the grid. */
  paste(items) {
    const step = this.stepBeats();
    const here = secondsToBeats(desk.doc.grid, desk.player.position);
    return this.#add('paste', items, step ? Math.round(here / step) * step : here);
  }

  /** What is chosen once more, right behind itself; hits behind the last beat that they touch. */
  repeat() {
    const items = this.chosen;
    if (!items.length) return false;
    const from = Math.min(...items.map(startOf));
    const last = Math.max(...items.map(endOf));
    const length = items[0].time === undefined ? last - from : Math.floor(last - Math.floor(from) + 1);
    return this.#add('repeat', items, length);
  }

  #add(edit, items, beats) {
    const fresh = copies(items, beats, this.prefix)
      .filter((item) => startOf(item) >= this.low - 1e-6 && startOf(item) < this.high - 1e-6)
      .map((item) => (item.time === undefined ? { ...item, end: Math.min(item.end, this.high) } : item));
    if (!fresh.length) return false;
    this.putAll(edit, fresh);
    this.choose(...fresh.map(({ id }) => id));
    return true;
  }

  /** The neighbour of what is chosen, else of the playhead. */
  step(direction) {
    const { chosen } = this;
    const place = chosen.length ? startOf(direction > 0 ? chosen.at(-1) : chosen[0]) : secondsToBeats(desk.doc.grid, desk.player.position) - direction * 1e-3;
    const next = neighbour(desk.doc[this.name], place, direction);
    if (next) this.choose(next.id);
    return Boolean(next);
  }

  chooseAll() {
    this.choose(...desk.doc[this.name].map(({ id }) => id));
    return desk.doc[this.name].length > 0;
  }

  /** Where presets and menus work: the active span, else the whole clip, in whole beats. */
  get stretchOfWork() {
    const { region } = desk.doc;
    if (!region) return { from: Math.max(0, this.low), to: this.high, words: 'the whole clip' };
    const { grid } = desk.doc;
    return { from: secondsToBeats(grid, region.start), to: secondsToBeats(grid, region.end), words: 'the span' };
  }
}
