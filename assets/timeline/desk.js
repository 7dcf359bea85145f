/**
 * What the elements of one page share: the document as the server last confirmed it (plus gestures on
 * their way), the takes, the player, and what is only looked at (view, key, chosen take and chord).
 *
 * The document goes whole from the server to the page; the page sends one command per gesture. Every
 * command bumps `rev`; an answer that has not seen the newest command is dropped, for a later one will come.
 * Times in seconds, chords in beats. Knows neither Gradio nor any element: `send` is set by the bridge.
 */

import { Player } from './player.js';
import { buildPyramid } from './peaks.js';

const EMPTY = {
  rev: 0, seconds: 10, grid: { bpm: 120, beats_per_bar: 4, offset: 0 }, region: null, chords: [], clip: null,
  undo: '', redo: '', error: null, window: 10, frame_rate: 25,
};

class Desk extends EventTarget {
  doc = EMPTY;
  groups = []; // [{id, label, region, tracks: [...]}], oldest first
  run = false; // whether a run goes on
  vocabulary = [];
  view = 'edit';
  key = sessionStorage.getItem('inlay-key') ?? 'C major';
  looping = false;
  player = new Player();
  send = () => {};
  #rev = 0;
  #serial = 0;
  #listened = false;
  #group = null; // chosen group, null = the newest
  #pyramids = new WeakMap();

  constructor() {
    super();
    this.player.addEventListener('loaded', () => this.tell('audio'));
    this.player.addEventListener('failed', (event) => this.tell('audio', event.detail));
    for (const what of ['state', 'select']) this.player.addEventListener(what, () => this.tell('player'));
  }

  tell(what, detail = null) {
    this.dispatchEvent(new CustomEvent('change', { detail: { what, ...detail } }));
  }

  // ---- the document

  /** The server's document; dropped when a newer gesture is on its way, or when a newer one came first. */
  receive(doc) {
    if (!doc || doc.rev < this.#rev || (doc.serial ?? 0) < this.#serial) return;
    this.#serial = doc.serial ?? 0;
    const before = this.doc.clip;
    this.doc = { ...EMPTY, ...doc };
    // Keep and its undo change the clip in place, so the sound goes on; another recording starts anew.
    const same = before && doc.clip && Math.abs(before.seconds - doc.clip.seconds) < 1e-6;
    if (before?.url !== this.doc.clip?.url && !same) this.player.clear();
    this.#retrack();
    this.#setLoop();
    this.tell('doc');
  }

  /** One gesture: shows `change` at once and sends the command. */
  edit(name, payload, change = {}) {
    this.#rev = Math.max(this.#rev, this.doc.rev) + 1;
    this.doc = { ...this.doc, ...change, rev: this.#rev, error: null };
    this.#setLoop();
    this.tell('doc');
    this.send('edit', { rev: this.#rev, name, payload });
  }

  setRegion(region) {
    if (region) this.edit('set_region', region, { region });
    else if (this.doc.region) this.edit('clear_region', {}, { region: null });
  }

  // ---- takes

  receiveTakes({ groups, run }) {
    const begun = run && !this.run;
    if (begun || groups.length > this.groups.length) this.#group = null; // show where something happens
    this.groups = groups;
    this.run = run;
    this.#retrack();
    this.tell('takes');
  }

  get group() {
    return this.groups.find((group) => group.id === this.#group) ?? this.groups.at(-1) ?? null;
  }

  get groupIndex() {
    return this.groups.indexOf(this.group);
  }

  showGroup(index) {
    this.#group = this.groups[index]?.id ?? null;
    this.#retrack();
    this.tell('takes');
  }

  /** The take being heard, null for the clip itself. */
  get track() {
    return this.group?.tracks.find((track) => track.id === this.player.selected) ?? null;
  }

  hear(track) {
    if (!track || track.state !== 'ready') return;
    this.player.select(track.id);
  }

  hearDigit(digit) {
    this.hear(this.group?.tracks.find((track) => track.digit === digit));
  }

  keep(track = this.track) {
    if (track?.kind === 'take' && track.state === 'ready' && !track.kept) this.edit('keep', { id: track.id });
  }

  anotherSeed(track = this.track) {
    if (track?.kind === 'take') this.send('run', { take: track.id });
  }

  // ---- sound

  #retrack() {
    const tracks = [];
    if (this.doc.clip) tracks.push({ id: 'base', url: this.#address(this.doc.clip.url), start: 0 });
    for (const track of this.group?.tracks ?? []) {
      if (track.url) tracks.push({ id: track.id, url: this.#address(track.url), start: track.start, whole: track.whole });
    }
    this.player.setTracks(tracks);
  }

  #address(url) {
    return new URL(url, document.baseURI).href;
  }

  /** Min/max pyramid of a loaded track ('base' or a take's id), null while it loads. */
  pyramid(id) {
    const track = this.player.tracks.get(id);
    if (!track) return null;
    if (!this.#pyramids.has(track.buffer)) {
      const channels = Array.from({ length: track.buffer.numberOfChannels }, (_, i) => track.buffer.getChannelData(i));
      this.#pyramids.set(track.buffer, buildPyramid(channels));
    }
    return { ...this.#pyramids.get(track.buffer), rate: track.buffer.sampleRate, start: track.start };
  }

  get duration() {
    return this.doc.clip?.seconds ?? this.doc.seconds;
  }

  #setLoop() {
    const region = this.loopSpan;
    this.player.setLoop(this.looping ? (region ?? { start: 0, end: this.duration }) : null);
  }

  /** What L loops: the span, in Listen the span of the takes with two seconds around it. */
  get loopSpan() {
    if (this.view === 'listen') {
      const region = this.group?.region;
      return region && { start: Math.max(0, region.start - 2), end: Math.min(this.duration, region.end + 2) };
    }
    return this.doc.region;
  }

  /** Plays or pauses; Listen begins at what it shows when the playhead is elsewhere. */
  togglePlay() {
    const shown = this.view === 'listen' ? this.loopSpan : null;
    const { position, playing } = this.player;
    if (!playing && shown && (position < shown.start || position >= shown.end)) return this.player.play(shown.start);
    return this.player.toggle();
  }

  toggleLoop() {
    this.looping = !this.looping;
    this.#setLoop();
    this.tell('player');
  }

  // ---- looking

  setView(view) {
    if (view === this.view) return;
    this.view = view;
    if (view === 'listen' && !this.#listened) this.looping = true; // comparing goes round and round
    this.#listened ||= view === 'listen';
    this.#setLoop();
    this.tell('view');
  }

  setKey(key) {
    this.key = key;
    sessionStorage.setItem('inlay-key', key);
    this.tell('doc');
  }
}

export const desk = new Desk();
