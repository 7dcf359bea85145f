/**
 * What the elements of one page share: the document with the gestures on their way (`document.js`), the takes, the
 * player, and what is only looked at (view, key, chosen take and chord).
 *
 * Times in seconds, chords in beats. Knows neither Gradio nor any element: what they offer stands in `ports.js`.
 */

import { Meter } from '../sound/meter.js';
import { Player } from '../sound/player.js';
import { buildPyramid } from '../sound/peaks.js';
import { silence } from '../sound/silence.js';
import { keep, kept } from '../parts/kept.js';
import { arrivalProgress, learned } from './arrivals.js';
import { EditedDocument } from './document.js';
import { loopSpan } from './loop.js';
import { FirstSound } from './first-sound.js';
import { Ghost } from './ghost.js';
import { Synth } from '../sound/synth.js';

const PACES = 'inlay-arrivals'; // seconds a byte of each step of a file that comes

/** A group whose takes know their number: keys end at 9. */
function numbered(group) {
  let number = 0;
  return { ...group, tracks: group.tracks.map((track) => (track.kind === 'take' ? { ...track, number: (number += 1) } : track)) };
}

class Desk extends EditedDocument {
  groups = []; // [{id, label, region, tracks: [...]}], oldest first
  versions = []; // [{id, label, engine, parent, current}], oldest first
  deleted = []; // [{id, label}] of takes that can be brought back
  results = []; // what each engine came to in the blind rounds
  rounds = 0; // blind rounds so far
  arriving = null; // {id, name, step: "uploading" | "reading", instead} of a file on its way, {name, error} of one refused
  withdrawn = false; // the file that comes is not wanted: its steps tell nothing
  cancelling = new Set(); // ids of the runs that were asked to stop
  run = false; // whether a run goes on
  model = {}; // what is at work: {name, file, device, licence, duty, facts}
  tips = {}; // id of a control of the page -> what it does
  view = 'edit';
  looping = false;
  player = new Player();
  meter = new Meter(this.player);
  synth = new Synth(this.player, () => ({ doc: this.doc, loop: this.loop }));
  ghost = new Ghost();
  firstSound = new FirstSound();
  #listened = false;
  #first = ''; // id of a take that is played as soon as it is loaded, and the timeline holds a clip
  #group = null; // chosen group, null = the newest
  #pyramids = new WeakMap();

  constructor() {
    super();
    this.player.addEventListener('loaded', () => {
      this.tell('audio');
      this.#playFirst();
    });
    this.player.addEventListener('failed', (event) => this.tell('audio', event.detail));
    for (const what of ['state', 'select']) this.player.addEventListener(what, () => this.tell('player'));
    this.player.addEventListener('select', () => this.#askGhost(this.track));
  }

  /** The document has changed: what is heard goes along. `before` is the clip that there was. */
  arrived(before) {
    // Keep and its undo change the clip in place, so the sound goes on; another recording starts anew.
    const { clip } = this.doc;
    const same = before && clip && Math.abs(before.seconds - clip.seconds) < 1e-6;
    if (before?.url !== clip?.url && !same) {
      this.player.clear();
      this.ghost.forget();
    }
    this.#askGhosts(); // chords may have come, of which takes can say something
    this.#retrack();
    this.#setLoop();
    const { arriving } = this;
    if (arriving?.id && this.doc.arrived === arriving.id) this.arrive(this.doc.error ? { name: arriving.name, error: this.doc.error } : null);
  }

  /** A gesture is shown before the server has answered. */
  gestured() {
    if (this.arriving?.error) this.arrive(null);
    this.#setLoop();
  }

  // ---- takes

  /** How ready takes are ordered: 'wish' (closest to it first) or 'smoothest'. */
  get sorting() {
    return this.doc.sort || 'wish';
  }

  sortTakes(by) {
    if (by !== this.sorting) this.edit('sort_takes', { by }, { sort: by });
  }

  judgeAgain(track) {
    this.edit('judge_again', { take: track.id });
  }

  receiveTakes({ groups, run, versions = [], deleted = [], results = [], rounds = 0 }) {
    const begun = run && !this.run;
    Object.assign(this, { versions, deleted, results, rounds });
    if (begun || groups.length > this.groups.length) this.#group = null; // show where something happens
    this.groups = groups.map(numbered);
    this.run = run;
    if (!run) this.cancelling.clear();
    this.#retrack();
    this.tell('takes');
    this.#soundFirst();
    this.#askGhosts();
  }

  /** Plays what was generated when it is ready. */
  #soundFirst() {
    const tracks = this.groups.flatMap((group) => group.tracks);
    const track = this.firstSound.next(tracks, { playing: this.player.playing, hidden: document.hidden });
    if (!this.run) this.firstSound.forget();
    if (track) this.#first = track.id;
    this.#playFirst();
  }

  #playFirst() {
    const track = this.#first && this.doc.clip && this.player.tracks.has(this.#first) && this.group?.tracks.find(({ id }) => id === this.#first);
    if (!track) return;
    this.#first = '';
    if (!this.player.playing) this.audition(track);
  }

  #askGhost(track) {
    return this.ghost.want(track, (take) => this.ghostOf(take), () => this.tell('ghost'));
  }

  #asking = false;

  /** Once a run is over its takes are heard again, one by one, so that each can say how its chords agree. */
  async #askGhosts() {
    const next = () => (this.run || !(this.doc.chords.length || this.doc.melody.length) ? null : this.group?.tracks.find((track) => this.ghost.lacks(track)));
    if (this.#asking) return;
    this.#asking = true;
    for (let track = next(); track && (await this.#askGhost(track)); track = next());
    this.#asking = false;
  }

  get group() {
    return this.groups.find((group) => group.id === this.#group) ?? this.groups.at(-1) ?? null;
  }

  /** Plays a take from where it begins to differ, with a second before that. */
  audition(track) {
    this.hear(track);
    const loop = track.extends === 'loop';
    if (loop) this.looping = true;
    this.#setLoop();
    this.tell('player');
    if (this.player.playing && !loop) return undefined;
    return this.player.play(loop ? Math.max(0, track.seconds - 3) : Math.max(track.whole ? track.start : 0, (track.region?.start ?? 0) - 1));
  }

  get groupIndex() {
    return this.groups.indexOf(this.group);
  }

  showGroup(index) {
    this.#group = this.groups[index]?.id ?? null;
    this.#retrack();
    this.tell('takes');
    this.#askGhosts();
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

  /** How a file comes along: said wherever one can be given. Each step that ends tells how long the next may take. */
  arrive(news) {
    const { arriving } = this;
    const now = performance.now() / 1000;
    if (arriving?.step && !news?.error && !this.withdrawn) keep(PACES, learned(kept(PACES), arriving.step, arriving.size, now - arriving.since));
    this.arriving = news && { ...news, since: now };
    this.withdrawn = false;
    this.tell('arriving');
  }

  /** The file that comes is not wanted any more. */
  withdraw() {
    const { id, step } = this.arriving ?? {};
    this.withdrawn = true;
    this.arrive(null);
    if (step) this.send('withdraw', { id });
  }

  /** How far the file that comes is: {share, left}, null where nobody knows. */
  get arrival() {
    return this.arriving?.step ? arrivalProgress(this.arriving, kept(PACES), performance.now() / 1000 - this.arriving.since) : null;
  }

  /** Stops one run, or all: said at once, done at the engine's next step. */
  cancel(run = '') {
    if (!this.run && !run) return;
    const going = ({ id, state }) => (!run || id === run) && ['running', 'waiting', 'interrupted'].includes(state);
    for (const { id } of this.groups.flatMap(({ tracks }) => tracks).filter(going)) this.cancelling.add(id);
    this.send('cancel', { run });
    if (!run) this.tell('cancelling');
    this.tell('takes');
  }

  anotherSeed(track = this.track) {
    if (track?.kind === 'take') this.send('run', { take: track.id });
  }

  again(track = this.track) {
    if (track?.kind === 'take') this.send('run', { again: track.id });
  }

  star(track = this.track) {
    if (track?.kind === 'take' && track.state === 'ready') this.edit('star_take', { id: track.id });
  }

  rename(track, name) {
    if (name !== track.name) this.edit('rename_take', { id: track.id, name });
  }

  /** Takes a take out of the list; undo, or the version tree, brings it back. */
  discard(track = this.track) {
    if (track?.kind !== 'take' || track.state !== 'ready') return;
    if (this.player.selected === track.id) this.player.select('base');
    this.edit('delete_take', { id: track.id });
  }

  // ---- sound

  #retrack() {
    const tracks = [];
    // Without a clip, or with one that is damaged, there is silence, so that the lanes can be heard and the playhead moves.
    tracks.push({ id: 'base', url: this.doc.clip?.url ? this.#address(this.doc.clip.url) : this.#silence(this.doc.seconds), start: 0 });
    for (const track of this.group?.tracks ?? []) {
      if (track.url) tracks.push({ id: track.id, url: this.#address(track.url), start: track.start, whole: track.whole });
    }
    this.player.setTracks(tracks);
  }

  #quiet = { seconds: 0, url: '' };
  #silence(seconds) {
    if (this.#quiet.seconds !== seconds) {
      URL.revokeObjectURL(this.#quiet.url);
      this.#quiet = { seconds, url: URL.createObjectURL(silence(seconds)) };
    }
    return this.#quiet.url;
  }

  #address(url) {
    return new URL(url, document.baseURI).href;
  }

  /** Min/max pyramid of a loaded track ('base' or a take's id), null while it loads. */
  pyramid(id) {
    const track = this.player.tracks.get(id);
    if (!track || track.url === this.#quiet.url) return null;
    if (!this.#pyramids.has(track.buffer)) {
      const channels = Array.from({ length: track.buffer.numberOfChannels }, (_, i) => track.buffer.getChannelData(i));
      this.#pyramids.set(track.buffer, buildPyramid(channels));
    }
    return { ...this.#pyramids.get(track.buffer), rate: track.buffer.sampleRate, start: track.start };
  }

  /** Where the playhead stands: with what sounds, else with what is recorded. */
  get playhead() {
    const recorder = this.record?.recorder;
    return recorder?.busy && !this.player.playing ? recorder.start + Math.max(0, recorder.time) : this.player.position;
  }

  get duration() {
    return this.doc.clip?.seconds ?? this.doc.seconds;
  }

  /** What is looped now, null when nothing is. */
  get loop() {
    return this.looping ? (this.loopSpan ?? { start: 0, end: this.duration }) : null;
  }

  #setLoop() {
    this.player.setLoop(this.loop);
  }

  around = 2; // seconds beside the span that Listen loops
  solo = false; // the span of the takes alone

  setAround(seconds) {
    this.around = seconds;
    this.solo = false;
    this.#setLoop();
    this.tell('player');
  }

  /** Hears the span of a take alone, round and round; once more: with what is around it. */
  toggleSolo(track = this.track) {
    if (!track?.region || track.state !== 'ready') return;
    this.solo = !(this.solo && this.track?.id === track.id);
    this.hear(track);
    this.looping = true;
    this.#setLoop();
    const { position } = this.player;
    const loop = this.loop;
    if (this.solo && (!this.player.playing || position < loop.start || position >= loop.end)) this.player.play(loop.start);
    this.tell('player');
  }

  /** What L loops: the span; in Listen and the blind test the span of the takes and something around it. */
  get loopSpan() {
    const { view, solo, around, track, group, duration } = this;
    return loopSpan({ view, solo, around, track, group, region: this.doc.region, duration });
  }

  /** Plays or pauses; Listen begins at what it shows when the playhead is elsewhere. */
  togglePlay() {
    const shown = this.view === 'edit' ? null : this.loopSpan;
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
    this.solo = false;
    if (view !== 'edit' && !this.#listened) this.looping = true; // comparing goes round and round
    this.#listened ||= view !== 'edit';
    this.#setLoop();
    this.tell('view');
  }
}

export const desk = Object.seal(new Desk());
