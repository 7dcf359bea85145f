/**
 * What a lane offers beyond drawing: progressions and transposition of chords; transposition, quantising and
 * the key for the melody; patterns, swing and tapping for the drums; MIDI; and where beat 1 lies.
 */

import { desk } from '../store/desk.js';
import { KEYS } from '../music/chords.js';
import { icons } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { PATTERNS, patternHits, replaceWithin, swung } from '../music/drums.js';
import { toKey } from '../music/notes.js';
import { Popover } from '../parts/popover.js';
import { progressionCells, progressionsIn } from '../music/progressions.js';

const TITLES = { chords: 'Chord lane', melody: 'Melody lane', drums: 'Drum lane', grid: 'Beat grid' };
const button = (act, words, title = '', disabled = false) => html`<button ${attributes({ 'data-act': act, title: title || null, disabled })}>${words}</button>`;

export class LaneMenu extends Popover {
  #lane = 'chords';
  #pair = 1;

  constructor(timeline) {
    super(timeline, 'Lane', 'menu');
  }

  open(lane, anchor) {
    this.#lane = lane;
    this.label = TITLES[lane];
    this.show(anchor);
  }

  get #own() {
    return this.timeline.lane(this.#lane);
  }

  markup() {
    return { chords: () => this.#chords(), melody: () => this.#melody(), drums: () => this.#drums(), grid: () => this.#grid() }[this.#lane]();
  }

  #chords() {
    const { words } = this.#own.stretchOfWork;
    return html`<div class="rows"><h2>Progressions<span>over ${words}, a bar each</span></h2>${progressionsIn(desk.key)
      .map(({ name, symbols }, index) => html`<button class="line-button" data-progression="${index}"><b>${name}</b><small>${symbols.join(' ')}</small></button>`)}
      <h2>All chords</h2><div class="buttons">${button('down', 'Semitone down', '↓ on chosen chords')}${button('up', 'Semitone up', '↑ on chosen chords')}
      ${button('quantise', 'Quantise', 'Q')}${button('clear', 'Clear')}</div>${this.#hear()}</div>`;
  }

  /** Whether the lane is heard when the lanes play: on the lane's head, and here, where fingers have room. */
  #hear() {
    const heard = !desk.synth.muted.has(this.#lane);
    return html`<div class="buttons"><button data-act="hear" aria-pressed="${heard}">${heard ? icons.sound : icons.mute}<span>${heard ? 'Heard' : 'Silent'} when the lanes play</span></button></div>`;
  }

  #melody() {
    return html`<div class="rows"><h2>Whole line<span>keys move what is chosen</span></h2>
      <div class="buttons">${button('down', 'Semitone down', '↓')}${button('up', 'Semitone up', '↑')}${button('octave-down', 'Octave down', '⇧↓')}${button('octave-up', 'Octave up', '⇧↑')}</div>
      <div class="buttons">${button('quantise', 'Quantise', 'Q')}${button('key', `Move into ${desk.key}`)}${button('clear', 'Clear')}</div>
      <h2>MIDI</h2><div class="buttons">${button('open-midi', 'Open MIDI')}${button('save-midi', 'Save MIDI', '', !desk.doc.melody.length)}</div>${this.#hear()}</div>`;
  }

  #drums() {
    const { words } = this.#own.stretchOfWork;
    return html`<div class="rows"><h2>Patterns<span>over ${words}</span></h2><div class="pairs">${PATTERNS
      .map(({ name }, index) => html`<button data-pattern="${index}">${name}</button>`)}</div>
      <h2>Swing<span class="swing-words">straight</span></h2><div class="swing"><select aria-label="Swing of">
        <option value="1" ${attributes({ selected: this.#pair === 1 })}>eighths</option><option value="0.5" ${attributes({ selected: this.#pair === 0.5 })}>sixteenths</option></select>
        <input type="range" min="50" max="75" step="1" value="50" aria-label="Swing in percent"></div>
      <div class="buttons">${button('tap', this.#own.tapping ? 'Stop tapping' : 'Tap them in', '⇧T: A S D F G are kick, snare, hat, tom, cymbal')}${button('clear', 'Clear')}</div>
      <h2>MIDI</h2><div class="buttons">${button('open-midi', 'Open MIDI')}${button('save-midi', 'Save MIDI', '', !desk.doc.drums.length)}</div>${this.#hear()}</div>`;
  }

  #grid() {
    const { bpm, offset, beats_per_bar: beats } = desk.doc.grid;
    const options = (all, chosen, words = (name) => name) => all.map((name) => html`<option value="${name}" ${attributes({ selected: name === chosen })}>${words(name)}</option>`);
    return html`<div class="rows"><h2>Signature and key</h2><div class="pairs"><select data-signature aria-label="Time signature">${options([2, 3, 4, 5, 6, 7], beats, (count) => `${count}/4`)}</select>
      <select data-key aria-label="Key">${options(KEYS, desk.key)}</select></div><h2>Beat 1 of bar 1</h2><label class="pair"><span>Lies at, seconds</span><input type="text" inputmode="decimal" data-offset value="${Number(offset.toFixed(4))}"></label>
      <div class="buttons">${button('beat-one', 'At the playhead', 'B')}${button('beat-zero', 'At 0 s')}</div>
      <h2>Tempo</h2><label class="pair"><span>Beats a minute</span><input type="text" inputmode="decimal" data-bpm value="${Number(bpm.toFixed(2))}"></label><div class="buttons">${button('tap-tempo', 'Tap', 'T')}${button('half', 'Half')}${button('double', 'Double')}</div>
      <h2>Sections<span>verse, chorus …</span></h2><div class="buttons">${button('add-section', desk.doc.region ? 'Add a section over the span' : 'Add a section')}${desk.doc.clip?.seconds > 30 ? button('find-sections', 'Find sections') : ''}</div>
      <h2>Record</h2><div class="buttons">${button('record', 'Microphone or MIDI keyboard', '⇧R')}</div></div>`;
  }

  press(pressed) {
    const { act, pattern, progression } = pressed.dataset;
    const own = this.#own;
    if (pattern) {
      const { from, to } = own.stretchOfWork;
      own.commit('set_pattern', replaceWithin(desk.doc.drums, patternHits(PATTERNS[Number(pattern)], from, to, desk.doc.grid.beats_per_bar), from, to));
      return this.close();
    }
    if (progression) {
      const { from, to } = own.stretchOfWork;
      own.fill(progressionCells(progressionsIn(desk.key)[Number(progression)].symbols, from, to, desk.doc.grid.beats_per_bar), from, to);
      return this.close();
    }
    const { grid } = desk.doc;
    const actions = {
      up: () => own.transpose(1, true),
      down: () => own.transpose(-1, true),
      'octave-up': () => own.transpose(12, true),
      'octave-down': () => own.transpose(-12, true),
      quantise: () => own.quantise(),
      key: () => own.commit('transpose_notes', toKey(desk.doc.melody, desk.key)),
      clear: () => own.commit('clear_lane', []),
      tap: () => {
        this.close(false);
        own.setTapping(!own.tapping);
        own.host.focus({ preventScroll: true });
      },
      'open-midi': () => this.timeline.openMidi(this.#lane),
      'save-midi': () => this.timeline.saveMidi(this.#lane),
      hear: () => this.timeline.toggleLane(this.#lane),
      'beat-one': () => desk.setGrid({ offset: desk.player.position }),
      record: () => desk.record?.toggle(),
      'add-section': () => this.timeline.sections.add(),
      'find-sections': () => this.timeline.sections.find(),
      'beat-zero': () => desk.setGrid({ offset: 0 }),
      'tap-tempo': () => desk.tapTempo(),
      half: () => desk.setGrid({ bpm: grid.bpm / 2 }),
      double: () => desk.setGrid({ bpm: grid.bpm * 2 }),
    };
    actions[act]?.();
    if (act === 'tap') return undefined;
    if (act === 'hear') return this.again('[data-act=hear]');
    if (['up', 'down', 'octave-up', 'octave-down', 'tap-tempo', 'half', 'double'].includes(act)) return act === 'half' || act === 'double' ? this.render() : undefined; // pressed again and again
    return this.close();
  }

  input(field) {
    if (field.type === 'range') this.node.querySelector('.swing-words').textContent = field.value === '50' ? 'straight' : field.value === '67' ? '67 %, triplets' : `${field.value} %`;
  }

  change(field) {
    if (field.matches('[data-signature]')) desk.setGrid({ beats_per_bar: Number(field.value) });
    else if (field.matches('[data-key]')) desk.edit('set_key', { key: field.value }, { key: field.value });
    else if (field.matches('[data-bpm]')) {
      const bpm = Number.parseFloat(field.value.replace(',', '.'));
      if (bpm >= 20 && bpm <= 400) desk.setGrid({ bpm });
      else {
        this.timeline.say(`tempo ${field.value.slice(0, 12)}: expected 20 to 400 beats a minute; type another`);
        field.value = Number(desk.doc.grid.bpm.toFixed(2));
      }
    } else if (field.matches('select')) this.#pair = Number(field.value);
    else if (field.type === 'range') this.#own.commit('swing', swung(desk.doc.drums, Number(field.value) / 100, this.#pair));
    else if (field.matches('[data-offset]')) {
      const offset = Number.parseFloat(field.value.replace(',', '.'));
      if (Number.isFinite(offset)) desk.setGrid({ offset });
      else field.value = desk.doc.grid.offset;
    }
  }

  key(event) {
    if (event.key === 'Enter' && event.target.matches('[data-offset], [data-bpm]')) {
      this.change(event.target);
      this.close();
      return true;
    }
    return false;
  }
}
