/** The menu of a section: what it is called, and what can be done with it; beside it, never over its flag. */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html } from '../parts/markup.js';
import { Popover } from '../parts/popover.js';
import { formatLength } from '../music/time.js';
import { barsWords, regionOf } from './bars.js';

const NAMES = ['Intro', 'Verse', 'Chorus', 'Bridge', 'Outro'];
const WIDE = 312; // pixels
const ROWS = [
  ['remake', html`<i class="swatch"></i>`, 'Re-make all of it', 'Ctrl ↵'],
  ['copy', icons.file, 'Copy', 'Ctrl C'],
  ['repeat', icons.plus, 'Repeat after itself', 'Ctrl D'],
  ['vary', icons.again, 'Repeat with changes', 'Ctrl ⇧D'],
  ['loop', icons.loop, 'Play it in a loop', 'L'],
  ['export', icons.download, 'Export this section', 'Ctrl E'],
  ['split', icons.split, 'Split at the playhead', '⇧S'],
  ['remove', icons.trash, 'Remove the name', 'Delete'],
];

/** The act that a key means on a section, "" for none. */
export function actOf({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (altKey) return '';
  const name = key.toLowerCase();
  if (ctrlKey || metaKey) return { enter: 'remake', c: 'copy', d: shiftKey ? 'vary' : 'repeat', e: 'export' }[name] ?? '';
  if (shiftKey) return name === 's' ? 'split' : '';
  return { l: 'loop', delete: 'remove', backspace: 'remove' }[name] ?? '';
}

export class SectionMenu extends Popover {
  #section = null;

  constructor(timeline, row) {
    super(timeline, 'Section', 'section-menu');
    this.row = row;
  }

  open(section, button) {
    this.#section = section;
    this.label = `${section.name}, ${barsWords(section)}`;
    const box = button.getBoundingClientRect();
    const right = document.querySelector('#stage')?.getBoundingClientRect().right ?? window.innerWidth;
    const beside = box.right + WIDE + 12 <= right ? box.right + 4 + WIDE / 2 : box.left - 4 - WIDE / 2;
    this.show({ getBoundingClientRect: () => new DOMRect(beside, box.top, 0, box.height - 6) }, button);
    this.node.querySelector('.acts button').focus({ preventScroll: true });
  }

  markup() {
    const section = this.#section;
    const region = regionOf(desk.doc.grid, section, this.timeline.duration);
    const long = region.end - region.start > desk.doc.window ? html`<p class="soft">Its ${formatSeconds(region)} s are made in parts that overlap.</p>` : '';
    return html`<h2>${section.name}, ${barsWords(section)}<span class="num">${formatLength(region.start)}–${formatLength(region.end)}</span></h2>
      <div class="names" role="group" aria-label="Name">${NAMES.map((name) => html`<button data-name="${name}" aria-pressed="${name === section.name}">${name}</button>`)}</div>
      <input value="${section.name}" maxlength="40" aria-label="Name of the section">
      <div class="acts">${ROWS.map(([act, icon, words, key]) => html`<button data-act="${act}">${icon}<span>${words}</span><kbd>${key}</kbd></button>`)}</div>${long}`;
  }

  press(button) {
    const { act, name } = button.dataset;
    const section = this.#section;
    this.close();
    if (name) this.row.rename(section, name);
    else this.row.act(act, section);
  }

  change(field) {
    const name = field.value.trim();
    if (name) this.row.rename(this.#section, name);
  }

  key(event) {
    const typing = event.target.matches('input');
    if (typing && event.key === 'Enter') {
      this.change(event.target);
      this.close();
      return true;
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const stops = [...this.node.querySelectorAll('input, .acts button')];
      const here = stops.indexOf(event.target);
      event.preventDefault();
      stops[(here + (event.key === 'ArrowDown' ? 1 : -1) + stops.length) % stops.length].focus();
      return true;
    }
    const act = typing ? '' : actOf(event);
    if (!act) return false;
    event.preventDefault();
    this.close();
    this.row.act(act, this.#section);
    return true;
  }
}

const formatSeconds = ({ start, end }) => String(Math.round((end - start) * 10) / 10);
