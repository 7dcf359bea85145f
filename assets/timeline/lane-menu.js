/**
 * What a lane offers beyond drawing: progressions and transposition of chords; transposition, quantising and
 * the key for the melody; patterns, swing and tapping for the drums; MIDI; and where beat 1 lies.
 */

import { desk } from './desk.js';
import { text } from './icons.js';
import { PATTERNS, patternHits, replaceWithin, swung } from './drums.js';
import { toKey } from './notes.js';
import { Popover } from './popover.js';
import { progressionCells, progressionsIn } from './progressions.js';

const TITLES = { chords: 'Chord lane', melody: 'Melody lane', drums: 'Drum lane', grid: 'Beat grid' };
const button = (act, words, title = '', extra = '') => `<button data-act="${act}" ${title ? `title="${title}"` : ''} ${extra}>${words}</button>`;

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
    return `<div class="rows"><h2>Progressions<span>over ${words}, a bar each</span></h2>${progressionsIn(desk.key)
      .map(({ name, symbols }, index) => `<button class="line-button" data-progression="${index}"><b>${text(name)}</b><small>${text(symbols.join(' '))}</small></button>`).join('')}
      <h2>All chords</h2><div class="buttons">${button('down', 'Semitone down', '↓ on chosen chords')}${button('up', 'Semitone up', '↑ on chosen chords')}
      ${button('quantise', 'Quantise', 'Q')}${button('clear', 'Clear')}</div></div>`;
  }

  #melody() {
    return `<div class="rows"><h2>Whole line<span>keys move what is chosen</span></h2>
      <div class="buttons">${button('down', 'Semitone down', '↓')}${button('up', 'Semitone up', '↑')}${button('octave-down', 'Octave down', '⇧↓')}${button('octave-up', 'Octave up', '⇧↑')}</div>
      <div class="buttons">${button('quantise', 'Quantise', 'Q')}${button('key', `Move into ${text(desk.key)}`)}${button('clear', 'Clear')}</div>
      <h2>MIDI</h2><div class="buttons">${button('open-midi', 'Open MIDI')}${button('save-midi', 'Save MIDI', '', desk.doc.melody.length ? '' : 'disabled')}</div></div>`;
  }

  #drums() {
    const { words } = this.#own.stretchOfWork;
    return `<div class="rows"><h2>Patterns<span>over ${words}</span></h2><div class="pairs">${PATTERNS
      .map(({ name }, index) => `<button data-pattern="${index}">${text(name)}</button>`).join('')}</div>
      <h2>Swing<span class="swing-words">straight</span></h2><div class="swing"><select aria-label="Swing of">
        <option value="1" ${this.#pair === 1 ? 'selected' : ''}>eighths</option><option value="0.5" ${this.#pair === 0.5 ? 'selected' : ''}>sixteenths</option></select>
        <input type="range" min="50" max="75" step="1" value="50" aria-label="Swing in percent"></div>
      <div class="buttons">${button('tap', this.#own.tapping ? 'Stop tapping' : 'Tap them in', '⇧T: A S D F G are kick, snare, hat, tom, cymbal')}${button('clear', 'Clear')}</div>
      <h2>MIDI</h2><div class="buttons">${button('open-midi', 'Open MIDI')}${button('save-midi', 'Save MIDI', '', desk.doc.drums.length ? '' : 'disabled')}</div></div>`;
  }

  #grid() {
    const { bpm, offset } = desk.doc.grid;
    return `<div class="rows"><h2>Beat 1 of bar 1</h2><label class="pair"><span>Lies at, seconds</span><input type="text" inputmode="decimal" data-offset value="${Number(offset.toFixed(4))}"></label>
      <div class="buttons">${button('beat-one', 'At the playhead', 'B')}${button('beat-zero', 'At 0 s')}</div>
      <h2>Tempo<span>${Number(bpm.toFixed(2))} bpm</span></h2><div class="buttons">${button('tap-tempo', 'Tap', 'T')}${button('half', 'Half')}${button('double', 'Double')}</div></div>`;
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
      'beat-one': () => desk.setGrid({ offset: desk.player.position }),
      'beat-zero': () => desk.setGrid({ offset: 0 }),
      'tap-tempo': () => desk.tapTempo(),
      half: () => desk.setGrid({ bpm: grid.bpm / 2 }),
      double: () => desk.setGrid({ bpm: grid.bpm * 2 }),
    };
    actions[act]?.();
    if (act === 'tap') return undefined;
    if (['up', 'down', 'octave-up', 'octave-down', 'tap-tempo', 'half', 'double'].includes(act)) return act === 'half' || act === 'double' ? this.render() : undefined; // pressed again and again
    return this.close();
  }

  input(field) {
    if (field.type === 'range') this.node.querySelector('.swing-words').textContent = field.value === '50' ? 'straight' : field.value === '67' ? '67 %, triplets' : `${field.value} %`;
  }

  change(field) {
    if (field.matches('select')) this.#pair = Number(field.value);
    else if (field.type === 'range') this.#own.commit('swing', swung(desk.doc.drums, Number(field.value) / 100, this.#pair));
    else if (field.matches('[data-offset]')) {
      const offset = Number.parseFloat(field.value.replace(',', '.'));
      if (Number.isFinite(offset)) desk.setGrid({ offset });
      else field.value = desk.doc.grid.offset;
    }
  }

  key(event) {
    if (event.key === 'Enter' && event.target.matches('[data-offset]')) {
      this.change(event.target);
      this.close();
      return true;
    }
    return false;
  }
}
