/**
 * One recording from the count-in to the take on the lanes: when it begins on the context's clock, what the microphone
 * and the keyboard gave since, and where that lies on the clip. Times in seconds, lanes in beats. Knows no elements.
 */

import { desk } from '../store/desk.js';
import { Scope } from '../parts/scope.js';
import { changes, put } from '../music/cells.js';
import { formatClock, secondsToBeats } from '../music/time.js';
import { countedIn } from './level.js';
import { hitsOf, notesOf } from './played.js';
import { wavOf } from './wav.js';

const LEAD = 0.25; // seconds between the press and the first sound
const AHEAD = 0.3; // seconds of clicks that are scheduled before they sound
const SHORTEST = 0.1; // seconds; less is a slip of the hand
const EDITS = { melody: 'record_notes', drums: 'record_hits' };

export class Recorder extends EventTarget {
  phase = 'idle'; // "idle" | "counting" | "recording"
  start = 0; // second of the clip at which it begins
  lane = 'melody'; // that the keyboard plays into: "melody", "drums" or "off"
  clipped = null; // when it was too loud, in words
  #begins = 0; // the context's time at that second
  #beats = []; // that are counted in: [{before, accent, number}]
  #clicked = 0; // beats of recording that were clicked beyond what plays
  #keys = []; // {on, pitch, time}: the context's seconds
  #before = null; // how the transport stood
  #scope = null;
  #project = '';

  constructor(microphone, keyboard) {
    super();
    this.microphone = microphone;
    this.keyboard = keyboard;
  }

  get busy() {
    return this.phase !== 'idle';
  }

  /** Seconds since recording began; below 0 while it is counted in. */
  get time() {
    return this.busy ? desk.player.context.currentTime - this.#begins : 0;
  }

  /** The beat that is counted now: {number, beat, of}, null outside a count-in. */
  get counted() {
    if (this.phase !== 'counting') return null;
    const left = -this.time;
    const at = this.#beats.findLastIndex(({ before }) => before >= left);
    return { number: this.#beats[at]?.number ?? 0, beat: at + 1, of: this.#beats.length };
  }

  /** Begins: `bars` are counted in, then everything plays and is recorded from `start` on. */
  async begin({ start, bars, plays, lane }) {
    const { player, synth, doc } = desk;
    await player.context.resume();
    if (player.context.state !== 'running') return desk.tell('audio', { message: 'The browser gives no sound yet. Press anywhere on the page, then record again.' });
    player.pause();
    Object.assign(this, { phase: 'counting', start, clipped: null, lane });
    this.#project = doc.project ?? '';
    this.#keys = [];
    this.#clicked = 0;
    this.#before = { looping: desk.looping, click: synth.click };
    if (desk.looping) desk.toggleLoop();
    synth.click = true;
    this.#beats = countedIn(doc.grid, bars);
    this.#begins = player.context.currentTime + LEAD + (this.#beats[0]?.before ?? 0);
    for (const { before, accent } of this.#beats) synth.clickAt(this.#begins - before, accent);
    if (this.microphone.state === 'ready') this.microphone.begin();
    this.#follow();
    if (plays && start < player.duration - 0.05) player.play(start, this.#begins);
    this.#tell();
    return undefined;
  }

  #follow() {
    const scope = (this.#scope = new Scope());
    scope.every(50, () => {
      if (this.phase === 'counting' && this.time >= 0) {
        this.phase = 'recording';
        this.#tell();
      }
      this.#click();
    });
    scope.listen(this.keyboard, 'key', ({ detail }) => this.#key(detail));
    scope.listen(this.microphone, 'heard', ({ detail }) => {
      if (this.phase === 'recording' && detail.top > -0.01) this.clipped ??= formatClock(this.time);
    });
    scope.listen(this.microphone, 'lost', () => this.stop());
    scope.listen(desk, 'change', ({ detail }) => detail.what === 'doc' && this.#project && desk.doc.project !== this.#project && this.discard());
  }

  /** Beyond the end of what plays the click goes on. */
  #click() {
    const { player, synth, doc: { grid } } = desk;
    if (player.playing || !synth.click || this.time < -AHEAD) return;
    const beat = 60 / grid.bpm;
    const first = secondsToBeats(grid, this.start);
    const due = (number) => (Math.ceil(first - 1e-6) + number - first) * beat;
    while (due(this.#clicked) < this.time + AHEAD) {
      const number = Math.ceil(first - 1e-6) + this.#clicked;
      if (due(this.#clicked) >= this.time) synth.clickAt(this.#begins + due(this.#clicked), number % grid.beats_per_bar === 0);
      this.#clicked += 1;
    }
  }

  #key({ on, pitch, at }) {
    const { context } = desk.player;
    const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
    const known = contextTime > 0 && performanceTime > 0; // what sounds now, with the output's latency taken off
    const time = known ? contextTime + (at - performanceTime) / 1000 : context.currentTime - (performance.now() - at) / 1000;
    this.#keys.push({ on, pitch, time: time - this.#begins });
  }

  /** The microphone's peaks so far: [least, greatest] for each of `columns` between two seconds of recording. */
  peaks(from, to, columns) {
    const { sampleRate } = desk.player.context;
    const late = this.microphone.latency.seconds;
    const [samples] = this.microphone.taken(sampleRate, this.#begins + late + from, this.#begins + late + to);
    return Array.from({ length: columns }, (_, i) => {
      const part = samples.subarray(Math.floor((i * samples.length) / columns), Math.floor(((i + 1) * samples.length) / columns));
      return [part.reduce((low, x) => Math.min(low, x), 0), part.reduce((high, x) => Math.max(high, x), 0)];
    });
  }

  /** Ends, and puts what was recorded onto the lanes; gives what to say of it. */
  async stop() {
    if (!this.busy) return '';
    const seconds = this.time;
    const { sampleRate, currentTime } = desk.player.context;
    const late = this.microphone.latency.seconds; // what sounds at the press is heard so much later
    const heard = this.microphone.finish(sampleRate, this.#begins + late, currentTime + late);
    const keys = this.#keys.filter(({ time }) => time >= -0.1);
    const { start, lane } = this;
    const project = this.#project;
    this.#rest();
    const channels = await heard;
    if (desk.doc.project !== project && project) return ''; // another one was opened meanwhile
    if (seconds < SHORTEST) return 'Nothing was recorded: it was stopped before it began.';
    const items = lane === 'off' ? [] : this.#written(lane, keys, start, seconds);
    const write = () => items.length && desk.editLane(EDITS[lane], lane, put(desk.doc[lane], items));
    if (channels[0].length <= SHORTEST * sampleRate) write();
    else this.#send(channels, start, lane, items).then((there) => there || write()); // what was played stays, at least
    return '';
  }

  /** What the microphone gave, in one step with what was played; whether it got through. */
  #send(channels, at, lane, items) {
    const file = new File([wavOf(channels, desk.player.context.sampleRate)], 'Microphone.wav', { type: 'audio/wav' });
    if (!items.length) return desk.send('upload', { file, at });
    const { put: fresh, remove } = changes(desk.doc[lane], put(desk.doc[lane], items));
    return desk.send('upload', { file, at, played: { name: EDITS[lane], payload: { [lane]: fresh, remove } } });
  }

  /** What was played, as objects of its lane. */
  #written(lane, keys, start, seconds) {
    const { grid } = desk.doc;
    const beats = (time) => secondsToBeats(grid, start + time);
    const played = keys.map((key) => ({ ...key, time: beats(key.time) }));
    return lane === 'drums' ? hitsOf(played, beats(seconds)) : notesOf(played, beats(seconds));
  }

  /** Ends, and keeps nothing. */
  discard() {
    if (!this.busy) return;
    this.#rest();
    this.microphone.end();
  }

  #rest() {
    const { player, synth } = desk;
    this.phase = 'idle';
    this.#scope?.end();
    this.#scope = null;
    player.pause();
    synth.silence();
    synth.click = this.#before.click;
    if (this.#before.looping !== desk.looping) desk.toggleLoop();
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new CustomEvent('state'));
    desk.tell('recording');
  }
}
