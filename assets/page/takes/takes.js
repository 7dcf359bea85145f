/**
 * <inlay-takes>: what the engines made of one span. In the Edit view a strip of cards, in Listen a row for each
 * take under one ruler, in the blind test cards without names. This is what the three share; each is a module.
 */

import { desk } from '../store/desk.js';
import { BLIND, Blind } from './blind.js';
import { icons } from '../parts/icons.js';
import { attributes, html, refresh, render } from '../parts/markup.js';
import { listening } from '../store/listening.js';
import { openSheet, showTake, showTree } from './take-sheet.js';
import { Scope } from '../parts/scope.js';
import { showWhenStyled, styles } from '../parts/styled.js';
import { carryOut } from './take-drag.js';
import { CARDS, TakeCards } from './take-cards.js';
import { ROWS, TakeRows } from './take-rows.js';
import { chordsAgree } from './take-words.js';
import { settled } from './wish-words.js';
import { tokens } from '../parts/wave.js';

const CALM = matchMedia('(prefers-reduced-motion: reduce)');
const STYLE = new URL('./takes.css', import.meta.url).href;
const TEMPLATE = html`${styles(STYLE)}${CARDS}${ROWS}${BLIND}<inlay-record hidden></inlay-record><p class="live" role="status" aria-live="polite"></p>`;

export class Takes extends HTMLElement {
  #scope = null;

  connectedCallback() {
    if (!this.shadowRoot) {
      render(this.attachShadow({ mode: 'open' }), TEMPLATE);
      showWhenStyled(this);
      this.cards = new TakeCards(this);
      this.rows = new TakeRows(this);
      this.blind = new Blind(this);
    }
    const scope = (this.#scope = new Scope());
    const options = { signal: scope.signal };
    desk.takes = this;
    desk.addEventListener('change', ({ detail }) => {
      // In Edit the timeline says it.
      if (detail.what === 'audio' && detail.message && desk.view !== 'edit') openSheet('No sound', html`<p>${detail.message}</p>`);
      this.redraw();
    }, options);
    scope.observe(new MutationObserver(() => this.redraw()), document.body, { attributes: true, attributeFilter: ['class'] });
    scope.observe(new ResizeObserver(() => this.redraw()), this);
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.rows.listen(options);
    this.shadowRoot.addEventListener('dragstart', carryOut, options);
    this.find('.cards').addEventListener('pointerleave', () => this.redraw(), options); // what waited for that
    this.find('.tracks').addEventListener('pointerleave', () => this.redraw(), options);
    this.#move = scope.frames(() => {
      if (desk.view === 'listen') this.rows.playhead(desk.player.position);
      if (desk.view === 'blind') this.blind.playhead(desk.player.position);
      return desk.view !== 'edit' && desk.meter.moves;
    });
    this.redraw();
  }

  disconnectedCallback() {
    this.#scope?.end();
    if (desk.takes === this) desk.takes = null;
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  // ---- drawing

  #move = () => {}; // lets the playhead go
  #pending = false;
  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    const { group, view } = desk;
    this.dataset.view = view;
    const tracks = this.#ordered(group);
    const colour = tokens(this);
    this.#pager();
    if (view === 'edit') this.cards.draw(group, tracks, colour);
    else if (view === 'listen') this.rows.draw(group, tracks, colour);
    else this.blind.draw(colour);
    this.#move();
  }

  #shown = { group: null, by: '', ids: [] }; // the order in which the tracks stand

  /** The group's tracks as they are shown. Cards come to their place when a run ends, and never under the pointer. */
  #ordered(group) {
    if (!group) return [];
    const { tracks } = group;
    const same = this.#shown.group === group.id && this.#shown.by === desk.sorting;
    const busy = tracks.some(({ state }) => state === 'running' || state === 'waiting');
    const held = same && (busy || this.find('.cards').matches(':hover') || this.find('.tracks').matches(':hover'));
    const shown = settled(tracks, this.#shown.group === group.id ? this.#shown.ids : [], desk.sorting, held);
    this.#shown = { group: group.id, by: desk.sorting, ids: shown.map(({ id }) => id) };
    return shown;
  }

  /** Changes markup, and lets what stands elsewhere now glide there. */
  moving(selector, change) {
    const places = () => new Map([...this.shadowRoot.querySelectorAll(`${selector}[data-take]`)].map((node) => [node.dataset.take, { node, box: node.getBoundingClientRect() }]));
    const before = CALM.matches ? new Map() : places();
    change();
    if (!before.size) return;
    for (const [id, { node, box }] of places()) {
      const was = before.get(id)?.box;
      const [x, y] = was ? [was.left - box.left, was.top - box.top] : [0, 0];
      if (Math.abs(x) + Math.abs(y) > 1) node.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: 140, easing: 'ease-out' });
    }
  }

  #pager() {
    const { groups, groupIndex } = desk;
    for (const pager of this.shadowRoot.querySelectorAll('.pager')) {
      const markup = groups.length < 2 ? html`` :
        html`<button class="ic" data-group="${groupIndex - 1}" ${attributes({ disabled: !groupIndex })} aria-label="Earlier takes" title="Earlier takes">${icons.left}</button>
         <span class="soft num">${groupIndex + 1} of ${groups.length}</span>
         <button class="ic" data-group="${groupIndex + 1}" ${attributes({ disabled: groupIndex >= groups.length - 1 })} aria-label="Later takes" title="Later takes">${icons.right}</button>`;
      refresh(pager, markup);
    }
  }

  /** Everything of some takes that their markup depends on; waveforms are redrawn without new nodes. */
  sign(tracks) {
    const of = (track) => {
      const { id, state, kept, words, digit, name, starred, note, wish, wishState, band } = track;
      return [id, state, kept, words, digit, name, starred, wish, wishState, band, this.agreement(track), desk.cancelling.has(id), state === 'running' || state === 'waiting' ? '' : note];
    };
    return JSON.stringify([desk.group?.id, desk.track?.id, desk.player.playing, desk.solo, tracks.map(of)]);
  }

  /** New markup for a part; the focus stays on the button that it was on. */
  replace(selector, markup) {
    const held = this.shadowRoot.activeElement?.closest(selector) ? this.shadowRoot.activeElement.dataset : null;
    render(this.find(selector), html`${markup}`);
    if (!held?.act) return;
    const same = Object.entries(held).map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join('');
    this.find(`${selector} ${same}`)?.focus({ preventScroll: true });
  }

  /** How far the chords of a take agree with the lane; null until the take was listened to. */
  agreement(track) {
    const { ghost, doc } = desk;
    return ghost.of(track) ? chordsAgree(track, doc.chords, doc.grid, (cell) => ghost.chord(track, cell, doc.grid)) : null;
  }

  isHeard(track) {
    return desk.track?.id === track.id || (!desk.track && track.kept);
  }

  moveProgress(track) {
    if (track.state !== 'running' && track.state !== 'waiting') return;
    const place = desk.view === 'edit' ? '.card' : '.row';
    const card = this.find(`${place} canvas[data-wave="${CSS.escape(track.id)}"]`)?.closest(place);
    const bar = card?.querySelector('.progress i');
    if (bar) bar.style.width = `${(track.progress * 100).toFixed(1)}%`;
    const note = card?.querySelector('.note span');
    if (note && note.textContent !== track.note) note.textContent = track.note;
  }

  // ---- gestures

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (event.detail && button.dataset.act !== 'rate') button.blur(); // pressed by pointer: Space goes on to play
    const track = desk.group?.tracks.find(({ id }) => id === button.dataset.id);
    const acts = {
      hear: () => this.#hear(track),
      select: () => desk.hear(track),
      keep: () => desk.keep(track),
      again: () => desk.again(track),
      seed: () => desk.anotherSeed(track),
      star: () => desk.star(track),
      sheet: () => showTake(track),
      tree: () => showTree(),
      retry: () => desk.send('run', { retry: track.id }),
      stop: () => desk.cancel(track.id),
      pick: () => listening.pick(track.id),
      sort: () => desk.sortTakes(button.dataset.by),
      judge: () => desk.judgeAgain(track),
      match: () => listening.match(),
      difference: () => listening.show('difference'),
      waves: () => listening.spectra && listening.show('spectra'),
      spectra: () => listening.spectra || listening.show('spectra'),
      blind: () => desk.setView('blind'),
    };
    if (acts[button.dataset.act]) acts[button.dataset.act]();
    else if (desk.view === 'blind' && this.blind.press(button)) return;
    else if (button.dataset.group) desk.showGroup(Number(button.dataset.group));
    else if (button.matches('.compare')) desk.setView('listen');
    else if (button.matches('.play')) desk.togglePlay();
    else if (button.matches('.loop')) desk.toggleLoop();
  }

  /** A card's play button: hears the take from a second before its span; pauses when it is the one that plays. */
  #hear(track) {
    if (desk.player.playing && desk.track?.id === track.id) return desk.player.pause();
    return desk.audition(track);
  }

  /** Does a named action of the keyboard; false when it is not this element's. */
  act(action) {
    const actions = {
      match: () => listening.match(),
      difference: () => listening.show('difference'),
      discard: () => desk.discard(),
    };
    if (!actions[action]) return false;
    actions[action]();
    return true;
  }

  /** Says one thing to screen readers. */
  announce(words) {
    this.find('.live').textContent = words;
  }
}

customElements.define('inlay-takes', Takes);
