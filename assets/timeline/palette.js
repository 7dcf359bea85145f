/**
 * The chord palette under a cell: a typed field, the key's triads, the chosen root's other chords, all 194.
 * Enter sets, Esc closes, a press outside sets nothing. The focus goes back to the cell.
 */

import { desk } from './desk.js';
import { icons, text } from './icons.js';
import { byRoot, inKey, moreOn } from './chords.js';
import { barBeat, beatsToSeconds, clamp } from './time.js';

export class Palette {
  #node = null;
  #cell = null;
  #all = false;

  constructor(timeline) {
    this.timeline = timeline;
    document.addEventListener('pointerdown', (event) => {
      if (this.#node && !event.composedPath().includes(this.#node)) this.close(false);
    }, true);
  }

  get isOpen() {
    return this.#node !== null;
  }

  open(cell, anchor) {
    this.close(false);
    this.#cell = cell;
    this.#all = false;
    this.#node = document.createElement('div');
    this.#node.className = 'palette';
    this.#node.setAttribute('role', 'dialog');
    this.#node.setAttribute('aria-label', 'Chord');
    this.timeline.shadowRoot.append(this.#node);
    this.#node.addEventListener('click', (event) => this.#click(event));
    this.#node.addEventListener('keydown', (event) => this.#key(event));
    this.#render();
    this.#place(anchor);
    this.#node.querySelector('input').focus({ preventScroll: true });
  }

  close(refocus = true) {
    if (!this.#node) return;
    this.#node.remove();
    this.#node = null;
    if (!refocus) return;
    const cells = this.timeline.chords.cells.children;
    ([...cells].find((node) => node.dataset.id === this.#cell.id) ?? this.timeline.board).focus({ preventScroll: true });
  }

  #render() {
    const { symbol, start } = this.#cell;
    const chip = (name, small = '') =>
      `<button data-chord="${text(name)}" aria-pressed="${name === symbol}"><b>${text(name)}</b>${small ? `<small>${text(small)}</small>` : ''}</button>`;
    const { bar } = barBeat(desk.doc.grid, beatsToSeconds(desk.doc.grid, start));
    const more = moreOn(symbol, desk.vocabulary).slice(0, 12);
    this.#node.innerHTML = `
      <i class="arrow"></i>
      <label class="field">${icons.search}<input type="text" maxlength="40" spellcheck="false" autocomplete="off"
        placeholder="Type a chord: F#m7b5, Bb/D" aria-label="Type a chord" aria-describedby="chord-error"></label>
      <p id="chord-error" role="alert"></p>
      <div class="rows ${this.#all ? 'all' : ''}">
        ${this.#all
    ? byRoot(desk.vocabulary).map(({ root, symbols }) => `<h4>${text(root)}</h4><div class="grid">${symbols.map((name) => chip(name)).join('')}</div>`).join('')
    : `<h4>In ${text(desk.key)}<span>bar ${bar}</span></h4><div class="key">${inKey(desk.key).map(({ symbol: name, roman }) => chip(name, roman)).join('')}</div>
           ${more.length ? `<h4>More on ${text(/^[A-G][#b]?/.exec(symbol)?.[0] ?? symbol)}</h4><div class="grid">${more.map((name) => chip(name)).join('')}</div>` : ''}`}
      </div>
      <div class="foot"><button class="pill" data-all>${this.#all ? 'In the key' : `All ${desk.vocabulary.length} chords`}</button>
        <button class="ic" data-delete title="Delete the chord (Delete)" aria-label="Delete the chord">${icons.trash}</button></div>`;
  }

  #place(anchor) {
    const host = this.timeline.getBoundingClientRect();
    const cell = anchor.getBoundingClientRect();
    const box = this.#node.getBoundingClientRect();
    const middle = clamp((cell.left + cell.right) / 2 - host.left, 0, host.width);
    const left = clamp(middle - box.width / 2, 104, host.width - box.width - 8);
    const below = cell.bottom - host.top + 8;
    const above = below + box.height > window.innerHeight - host.top - 8;
    this.#node.classList.toggle('above', above);
    this.#node.style.left = `${left}px`;
    if (above) this.#node.style.bottom = `${host.height - (cell.top - host.top) + 8}px`;
    else this.#node.style.top = `${below}px`;
    this.#node.style.setProperty('--arrow', `${clamp(middle - left, 16, box.width - 16)}px`);
  }

  #set(symbol) {
    const { id } = this.#cell;
    this.close();
    this.timeline.chords.name(id, symbol);
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.chord) this.#set(button.dataset.chord);
    else if ('delete' in button.dataset) this.timeline.chords.deleteChosen();
    else if ('all' in button.dataset) {
      this.#all = !this.#all;
      this.#render();
      this.#node.querySelector('input').focus({ preventScroll: true });
    }
  }

  #key(event) {
    event.stopPropagation();
    if (event.key === 'Escape') {
      event.preventDefault();
      this.close();
    } else if (event.key === 'Enter' && event.target.matches('input')) {
      event.preventDefault();
      const typed = event.target.value.trim();
      if (!typed) this.close();
      else if (/^([A-Ga-g][#b♯♭]?|N)/.test(typed)) this.#set(typed[0].toUpperCase() + typed.slice(1));
      else this.#node.querySelector('#chord-error').textContent = `“${typed}”: a chord begins with A–G; try F#m7b5 or Bb/D.`;
    } else if (event.key === 'Tab') this.#trap(event);
  }

  #trap(event) {
    const stops = [...this.#node.querySelectorAll('input, button')];
    const here = stops.indexOf(this.timeline.shadowRoot.activeElement);
    event.preventDefault();
    stops[(here + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
  }
}
