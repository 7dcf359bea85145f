/**
 * The chord palette under a cell: a typed field with completion, the key's triads, the chosen root's other
 * chords, all 194, and progressions. Enter sets, Esc closes, a press outside sets nothing.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { byRoot, complete, inKey, moreOn, pitchesOf } from '../music/chords.js';
import { Popover } from '../parts/popover.js';
import { progressionCells, progressionsIn } from '../music/progressions.js';
import { barBeat, beatsToSeconds } from '../music/time.js';

export class Palette extends Popover {
  #cell = null;
  #page = 'key'; // 'key' | 'all' | 'progressions'

  constructor(timeline) {
    super(timeline, 'Chord', 'palette');
  }

  open(cell, anchor) {
    this.#cell = cell;
    this.#page = 'key';
    this.show(anchor);
  }

  markup() {
    return html`<label class="field">${icons.search}<input type="text" maxlength="40" spellcheck="false" autocomplete="off"
        placeholder="Type a chord: F#m7b5, Bb/D" aria-label="Type a chord" aria-describedby="chord-error"></label>
      <p id="chord-error" role="alert"></p>
      <div class="rows page-${this.#page}">${this.#rows('')}</div>
      <div class="foot">${[['all', `All ${desk.vocabulary.length} chords`], ['progressions', 'Progressions']]
    .map(([page, words]) => html`<button class="pill" data-page="${page}" aria-pressed="${this.#page === page}">${words}</button>`)}
        <span class="spring"></span>
        <button class="ic" data-hear title="Hear the chord" aria-label="Hear the chord">${icons.sound}</button>
        <button class="ic" data-delete title="Delete the chord (Delete)" aria-label="Delete the chord">${icons.trash}</button></div>`;
  }

  #chip(name, small = '') {
    return html`<button data-chord="${name}" aria-pressed="${name === this.#cell.symbol}"><b>${name}</b>${small ? html`<small>${small}</small>` : ''}</button>`;
  }

  #rows(typed) {
    const { symbol, start } = this.#cell;
    if (typed) {
      const found = complete(typed, desk.vocabulary, 12);
      return html`<h2>${found.length ? 'Meant' : 'No chord of the model begins so'}<span>Enter sets</span></h2><div class="grid">${found.map((name) => this.#chip(name))}</div>`;
    }
    if (this.#page === 'all') {
      return byRoot(desk.vocabulary).map(({ root, symbols }) => html`<h2>${root}</h2><div class="grid">${symbols.map((name) => this.#chip(name))}</div>`);
    }
    if (this.#page === 'progressions') {
      const { words } = this.timeline.chords.stretchOfWork;
      return html`<h2>In ${desk.key}<span>over ${words}, a bar each</span></h2>${progressionsIn(desk.key)
        .map(({ name, symbols }, index) => html`<button class="line-button" data-progression="${index}"><b>${name}</b><small>${symbols.join(' ')}</small></button>`)}`;
    }
    const { bar } = barBeat(desk.doc.grid, beatsToSeconds(desk.doc.grid, start));
    const more = moreOn(symbol, desk.vocabulary).slice(0, 12);
    return html`<h2>In ${desk.key}<span>bar ${bar}</span></h2><div class="key">${inKey(desk.key).map(({ symbol: name, roman }) => this.#chip(name, roman))}</div>
      ${more.length ? html`<h2>More on ${/^[A-G][#b]?/.exec(symbol)?.[0] ?? symbol}</h2><div class="grid">${more.map((name) => this.#chip(name))}</div>` : ''}`;
  }

  #set(symbol) {
    const { id } = this.#cell;
    this.close();
    this.timeline.chords.rename(id, symbol);
    this.timeline.chords.node(id)?.focus({ preventScroll: true });
  }

  press(button) {
    const { chord, page, progression } = button.dataset;
    if (chord) this.#set(chord);
    else if ('delete' in button.dataset) {
      this.timeline.chords.choose(this.#cell.id);
      this.timeline.chords.remove();
    } else if ('hear' in button.dataset) desk.synth.blip({ kind: 'chord', length: 0.9, pitches: pitchesOf(this.#cell.symbol) });
    else if (page) {
      this.#page = this.#page === page ? 'key' : page;
      this.render();
      this.node.querySelector('input').focus({ preventScroll: true });
    } else if (progression) {
      const { chords } = this.timeline;
      const { from, to } = chords.stretchOfWork;
      const { symbols } = progressionsIn(desk.key)[Number(progression)];
      this.close(false);
      chords.fill(progressionCells(symbols, from, to, desk.doc.grid.beats_per_bar), from, to);
      this.timeline.board.focus({ preventScroll: true });
    }
  }

  input(field) {
    render(this.node.querySelector('.rows'), html`${this.#rows(field.value.trim())}`);
    this.node.querySelector('#chord-error').textContent = '';
  }

  key(event) {
    const field = this.node.querySelector('input');
    if (event.target !== field) return false;
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.node.querySelector('.rows button')?.focus();
      return true;
    }
    if (event.key !== 'Enter') return false;
    event.preventDefault();
    const typed = field.value.trim();
    if (!typed) this.close();
    else if (/^([A-Ga-g][#b♯♭]?|N)/.test(typed)) this.#set(typed[0].toUpperCase() + typed.slice(1));
    else this.node.querySelector('#chord-error').textContent = `“${typed}”: a chord begins with A–G; try F#m7b5 or Bb/D.`;
    return true;
  }
}
