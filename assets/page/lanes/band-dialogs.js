/** The band lane's dialogs: one more player by name, and what can be said of a row. */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { capital, kindOf, searched } from '../music/band.js';
import { Popover } from '../parts/popover.js';
import { beatsToSeconds, formatSpan } from '../music/time.js';

const MOST = 40; // options at once

/** The name with the typed part in bold. */
function marked(name, typed) {
  const at = typed ? name.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  const shown = capital(name);
  return at < 0 ? shown : html`${shown.slice(0, at)}<b>${shown.slice(at, at + typed.length)}</b>${shown.slice(at + typed.length)}`;
}

export class BandAdd extends Popover {
  #typed = '';
  #at = 0; // the option that Enter takes
  #options = [];
  #choose = null; // what is done with the name
  #where = '';

  constructor(lane) {
    super(lane.timeline, 'Add a player', 'band-add');
    this.lane = lane;
  }

  /** For the lane; the panel says what else to do with the name, and where that adds it. */
  open(anchor, choose = (name) => this.lane.add(name), where = '') {
    [this.#typed, this.#at, this.#choose, this.#where] = ['', 0, choose, where];
    this.show(anchor);
  }

  markup() {
    const { region } = this.timeline;
    const where = this.#where || (region ? `to the span, ${formatSpan(region)}` : 'over what is in view');
    return html`<label class="field">${icons.search}<input type="text" role="combobox" aria-expanded="true" aria-controls="band-options" aria-autocomplete="list" autocomplete="off" spellcheck="false"
      placeholder="Name an instrument" aria-label="Name an instrument" value="${this.#typed}"></label>
      <div class="options" tabindex="0">${this.#list()}</div><p class="soft foot"><kbd>↵</kbd><span>adds it ${where}</span></p>`;
  }

  #list() {
    const { found, nearest } = searched(this.#typed, desk.instruments);
    this.#options = (found.length ? found : nearest).slice(0, MOST);
    this.#at = Math.max(0, Math.min(this.#at, this.#options.length - 1));
    const none = this.#typed.trim() && !found.length;
    const options = this.#options.map((entry, i) => html`<button role="option" tabindex="-1" id="band-option-${i}" data-name="${entry.name}" aria-selected="${i === this.#at}">
      <span>${none ? capital(entry.name) : marked(entry.name, this.#typed.trim())}</span><small>${kindOf(entry, desk.instruments)}</small></button>`);
    return html`${none ? html`<p class="none" role="status">No <i>${this.#typed.trim().slice(0, 24)}</i> here.${nearest.length > 3 ? ' Any of a family:' : nearest.length ? ' Nearest:' : ''}</p>` : ''}
      <div role="listbox" id="band-options" aria-label="Instruments">${options}</div>`;
  }

  #show() {
    render(this.node.querySelector('.options'), this.#list());
    const chosen = this.node.querySelector('[aria-selected=true]');
    chosen?.scrollIntoView({ block: 'nearest' });
    this.node.querySelector('input').setAttribute('aria-activedescendant', chosen?.id ?? '');
  }

  input(field) {
    [this.#typed, this.#at] = [field.value, 0];
    this.#show();
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#at = (this.#at + step + this.#options.length) % Math.max(1, this.#options.length);
      this.#show();
      return true;
    }
    if (event.key !== 'Enter') return false;
    event.preventDefault();
    const name = this.#options[this.#at]?.name;
    if (name) this.#add(name);
    return true;
  }

  press(button) {
    if (button.dataset.name) this.#add(button.dataset.name);
  }

  #add(name) {
    this.close(false);
    this.#choose(name);
  }
}

const SAID = [['asked', 'Asked here', 'It plays'], ['none', 'None here', 'It must not be heard'], ['open', 'Leave open', 'The model decides; not judged'], ['solo', 'Only this one', 'The other rows are asked to be absent']];

export class BandMenu extends Popover {
  #name = '';
  #place = null;

  constructor(lane) {
    super(lane.timeline, 'Row', 'band-menu');
    this.lane = lane;
  }

  /** The menu of a row for a place in beats, at the pointer. */
  open(name, place, event) {
    [this.#name, this.#place] = [name, place];
    this.label = capital(name);
    const box = this.lane.host.getBoundingClientRect();
    const at = event.clientX || event.clientY ? event : { clientX: box.left + 40, clientY: box.top + 10 };
    const spot = { left: at.clientX, right: at.clientX, top: at.clientY - 4, bottom: at.clientY + 4 };
    this.show({ getBoundingClientRect: () => spot }, this.lane.host);
  }

  markup() {
    const { grid } = desk.doc;
    const { start, end } = this.#place;
    const where = formatSpan({ start: Math.max(0, beatsToSeconds(grid, start)), end: beatsToSeconds(grid, end) });
    return html`<h2>${capital(this.#name)}<span class="num">${where}</span></h2>
      <div role="menu" aria-label="${capital(this.#name)}">${SAID.map(([act, words, title]) => html`<button role="menuitem" data-act="${act}" title="${title}">${words}</button>`)}
      <button role="menuitem" data-act="remove" title="Takes the row and all its bars away">Remove row</button></div>`;
  }

  press(button) {
    const { act } = button.dataset;
    const place = { name: this.#name, start: this.#place.start, end: this.#place.end };
    this.close();
    if (act === 'remove') this.lane.removeRow(this.#name);
    else if (act === 'solo') this.lane.solo(this.#name, { start: place.start, end: place.end });
    else this.lane.say([place], act);
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return false;
    event.preventDefault();
    const all = [...this.node.querySelectorAll('button')];
    all[(all.indexOf(this.timeline.shadowRoot.activeElement) + step + all.length) % all.length].focus();
    return true;
  }
}
