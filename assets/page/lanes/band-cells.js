/**
 * The folded band lane: a button for each stretch with the same players, and what is said where nobody is named.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { attributes, html, refresh, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { cellWords, joined, spoken, stretches } from '../music/band.js';
import { percent } from '../takes/take-words.js';
import { barWords, beatsToSeconds } from '../music/time.js';

const INSET = 8; // pixels beside the words of a cell
export const UNSURE = 'Not sure who plays. Draw it if it matters.';
const DOT = 14; // pixels for a dot behind them

/** What is said while an analysis goes on, "" where none does. */
export const listeningWords = (share) => (Number.isFinite(share) ? `Listening for instruments, ${percent(share)}` : '');

const TAKE = html`<button data-take title="Listens for chords, melody, drums and instruments in the recording">${icons.sound}<span>Take from audio</span></button>`;

/** How someone gets a name: {words, take: a button where there is a recording to listen to}. */
function unnamed(open, clip) {
  if (open) return { words: html`No one is named yet. <b>Add</b> a player at the left, or write it in your words.`, take: '' };
  const words = html`No one is named yet. Write it in your words, draw with <kbd>D</kbd>`;
  return clip ? { words: html`${words}, or take it from the audio.`, take: TAKE } : { words: html`${words}.`, take: '' };
}

const pen = new OffscreenCanvas(1, 1).getContext('2d');

export class BandCells {
  #told = { sign: [], all: [] };
  #font = '';

  constructor(lane) {
    this.lane = lane;
    this.host = lane.host.querySelector('.stretches');
    this.hint = lane.host.querySelector('.hint');
    lane.host.addEventListener('click', (event) => {
      if (event.target.closest('.stretch')) lane.fold(true);
      if (event.target.closest('[data-take]')) desk.tell('press', { id: 'hear' });
    });
  }

  draw(open) {
    this.host.hidden = open;
    const all = open ? [] : this.#stretches();
    while (this.host.children.length > all.length) this.host.lastElementChild.remove();
    all.forEach((one, i) => this.#paint(this.host.children[i] ?? this.#make(), one));
    this.#say(open);
    if (!open) this.#ungrid();
  }

  #stretches() {
    const { cells, rows, span, words, low, high } = this.lane;
    const sign = [cells, rows, span?.start, span?.end, words, low, high];
    if (sign.some((part, i) => part !== this.#told.sign[i])) this.#told = { sign, all: stretches(cells, rows, { low, high, span, words }) };
    return this.#told.all;
  }

  #make() {
    const node = document.createElement('button');
    node.className = 'stretch';
    render(node, html`<span></span>`);
    this.host.append(node);
    return node;
  }

  #paint(node, stretch) {
    const { lane } = this;
    const { grid } = desk.doc;
    const left = lane.x(stretch.start) + 1.5;
    const width = Math.max(3, lane.x(stretch.end) - left - 1.5);
    // Words stay in sight while the cell's beginning is not.
    const lead = Math.max(0, Math.min(-left, width - 80));
    const dot = stretch.inside && this.#heard(stretch);
    const room = width - lead - 2 * INSET - (dot ? DOT : 0);
    const sign = [left, width, room, dot, JSON.stringify(stretch), lane.timeline.view.start].join('|');
    if (node.dataset.sign === sign) return;
    node.dataset.sign = sign;
    node.style.cssText = `transform:translateX(${left}px);width:${width}px;padding-left:${INSET + lead}px`;
    node.hidden = left > lane.timeline.width || left + width < 0;
    if (node.hidden) return;
    node.classList.toggle('in', stretch.inside);
    this.#font ||= getComputedStyle(lane.host).fontFamily;
    const fits = (words) => {
      pen.font = `${stretch.inside ? 500 : 400} 11px ${this.#font}`;
      return pen.measureText(words).width <= room;
    };
    const parts = cellWords(stretch, desk.shortOf, fits);
    render(node.firstChild, html`${room < 12 ? '' : parts.map(({ words, asked }, i) => [i ? (words.startsWith('+') ? ' ' : ', ') : '', asked ? html`<b>${words}</b>` : words])}`);
    node.classList.toggle('dotted', Boolean(dot));
    if (dot) node.style.setProperty('--e', `var(--${dot})`);
    const bars = [stretch.start, stretch.end].map((beats) => barWords(grid, beatsToSeconds(grid, beats)));
    const told = `Bars ${bars.join(' to ')}: ${spoken(stretch)}`;
    node.setAttribute('aria-label', told);
    node.title = joined(parts) === told ? '' : told;
  }

  /** The engine whose take was heard again here. */
  #heard(stretch) {
    const piece = { name: stretch.players[0]?.name ?? stretch.absent[0], start: stretch.start, end: stretch.end, state: 'open' };
    return this.lane.rowsView.heard(piece) ? engineOf(desk.track.engine).token : '';
  }

  /** What is said where nobody is named. */
  #say(open) {
    const { lane } = this;
    const empty = lane.rows.length === 0;
    this.hint.hidden = !empty;
    this.hint.setAttribute('role', open ? 'row' : 'note');
    if (!empty) return;
    const said = listeningWords(desk.doc.bandHearing) || (desk.doc.bandUnsure ? UNSURE : '');
    const { words, take } = said ? { words: said, take: '' } : unnamed(open, desk.doc.clip);
    refresh(this.hint, html`<span ${attributes({ role: open ? 'gridcell' : null })}>${words}</span>${take}`);
  }

  /** Folded, the lane is a list of buttons and no grid. */
  #ungrid() {
    const { host } = this.lane;
    if (!host.hasAttribute('role')) return;
    host.querySelector('.grid-row')?.remove();
    for (const name of ['role', 'tabindex', 'aria-multiselectable', 'aria-label', 'aria-rowcount', 'aria-colcount', 'aria-activedescendant']) host.removeAttribute(name);
    host.title = '';
    host.style.cursor = '';
  }
}
