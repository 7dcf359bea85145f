/**
 * The document as the server last confirmed it, plus the gestures on their way: each is shown at once and sent as
 * one command (`answers.js`), undo and redo like all others. The document comes whole from the server. Times in
 * seconds, lanes in beats. Knows no sound.
 */

import { Answers } from './answers.js';
import { Ports } from './ports.js';
import { Steps } from './steps.js';
import { arranged, changed, withSpan, withoutSpan } from './spans.js';
import { changes as differences, newId } from '../music/cells.js';
import { tappedTempo, tapsInTime } from '../music/tempo.js';

const EMPTY = {
  rev: 0, seconds: 10, grid: { bpm: 120, beats_per_bar: 4, offset: 0 }, key: 'C major', region: null, spans: [], active: '', sections: [],
  band: [], bandHearing: null, bandUnsure: false, chords: [], melody: [], drums: [], follow: [], prompt: '', clip: null, arrived: '',
  past: 0, future: 0, undo: '', redo: '', error: null, arFrom: '', fmFrom: '', tasks: [], stems: [], window: 10, frame_rate: 25,
};

export class EditedDocument extends Ports {
  doc = EMPTY;
  vocabulary = [];
  instruments = []; // who may play: [{name, family, short, also}]
  #answers = new Answers();
  #steps = new Steps();
  #taps = [];

  tell(what, detail = null) {
    this.dispatchEvent(new CustomEvent('change', { detail: { what, ...detail } }));
  }

  /** Another document is shown; `before` is the clip of the last one. */
  arrived(_before) {}

  /** A gesture is shown. */
  gestured() {}

  /** The server's document; dropped when a newer gesture is on its way, or when a newer one came first. */
  receive(doc) {
    if (!doc || !this.#answers.hear(doc)) return;
    const before = this.doc.clip;
    this.doc = { ...EMPTY, ...doc, error: doc.error || this.#answers.refused };
    this.#steps.agree(this.doc.past, this.doc.future);
    this.arrived(before);
    this.tell('doc');
  }

  /** Whether the server has seen and saved every gesture. */
  get settled() {
    return this.#answers.settled;
  }

  /** Until the server has seen a gesture, and for ten seconds at most. */
  answer(rev) {
    return this.#answers.until(rev);
  }

  /** The number of a new gesture: what the server answers to older ones is not shown any more. */
  nextRev() {
    return this.#answers.next(this.doc.rev);
  }

  /** One gesture: shows `change` at once and sends the command. `field`: "typed" or "chosen" in one that shows it. */
  edit(name, payload, change = {}, field = '') {
    const before = Object.fromEntries(Object.keys(change).map((key) => [key, this.doc[key]]));
    if (!field) this.tell('hand');
    this.#steps.did(name, before, change);
    this.#command(name, payload, change, field);
  }

  #command(name, payload, change, field = '') {
    const rev = this.nextRev();
    this.doc = { ...this.doc, ...change, rev, error: null };
    this.gestured();
    this.tell('doc');
    this.send('edit', { rev, name, payload, field });
  }

  /** One step back, among the gestures in the order of the hand. */
  undo() {
    if (!this.#steps.canUndo) return;
    this.tell('hand');
    this.#command('undo', {}, this.#steps.undo());
  }

  redo() {
    if (!this.#steps.canRedo) return;
    this.tell('hand');
    this.#command('redo', {}, this.#steps.redo());
  }

  /** Edits that make one step where they follow each other. */
  set merging(names) {
    this.#steps.merging = new Set(names);
  }

  get key() {
    return this.doc.key;
  }

  /** What a player is called where there is little room, and the family of one. */
  shortOf = (name) => inSentence(this.#instrument(name)?.short || name, name);

  familyOf = (name) => this.#instrument(name)?.family ?? null;

  #instrument(name) {
    return this.instruments.find((one) => one.name === name);
  }

  /** A new state of a lane ('band', 'chords', 'melody', 'drums') under the name of an edit; sends what differs. */
  editLane(edit, lane, items) {
    const { put, remove } = differences(this.doc[lane], items);
    if (put.length || remove.length) this.edit(edit, { [lane]: put, remove }, { [lane]: items });
    else this.tell('doc');
  }

  setGrid(change, field = '') {
    this.edit('set_grid', change, { grid: { ...this.doc.grid, ...change } }, field);
  }

  /** One tap of the tempo; from the third on it counts. */
  tapTempo() {
    this.#taps = tapsInTime([...this.#taps, performance.now() / 1000]);
    const bpm = tappedTempo(this.#taps);
    if (bpm) this.setGrid({ bpm });
    this.tell('taps', { count: this.#taps.length, bpm });
  }

  // ---- spans

  /** A span {id, start, end}: a known one moves, another is added; it becomes the active one. */
  putSpan({ id, start, end }) {
    const known = this.doc.spans.find((span) => span.id === id);
    if (known && this.doc.active === id && known.start === start && known.end === end) return;
    this.edit(known ? 'set_span' : 'add_span', { id, start, end }, withSpan(this.doc.spans, { id, start, end }));
  }

  activateSpan(id) {
    if (id && id !== this.doc.active) this.edit('activate_span', { id }, arranged(this.doc.spans, id));
  }

  deleteSpan(id) {
    this.edit('delete_span', { id }, withoutSpan(this.doc.spans, id, this.doc.active));
  }

  setSpanOwn(id, own) {
    this.edit('set_span_own', { id, own }, { spans: changed(this.doc.spans, id, { prompt: own ? '' : null, follow: own ? this.doc.follow : null }) });
  }

  /** The active span's place; null removes it. */
  setRegion(region) {
    if (region) this.putSpan({ id: this.doc.active || newId('s'), ...region });
    else if (this.doc.region) this.edit('clear_region', {}, arranged(this.doc.spans.filter(({ id }) => id !== this.doc.active), ''));
  }

  /** The other way to fill the active span: blended in, or changed. */
  turnIntent() {
    const { spans, active } = this.doc;
    const span = spans.find(({ id }) => id === active);
    if (!span?.resolved) return;
    const intent = span.resolved === 'blend' ? 'change' : 'blend';
    this.edit('set_intent', { span: active, intent }, { spans: changed(spans, active, { intent, resolved: intent, reason: 'Picked by you.' }) });
  }
}

/** A short name as it stands within a sentence: small, unless the whole name is a proper one. */
const inSentence = (short, name) => (name[0] === name[0].toLowerCase() ? short[0].toLowerCase() + short.slice(1) : short);
