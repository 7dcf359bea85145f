/**
 * <inlay-take>: on a phone the take that is heard as a row over the words: what came of the wish, its worst seam, Keep.
 * In the whole sheet every take has a row, under the choice of their order. In the page's own tree.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons, tag } from '../parts/icons.js';
import { attributes, html, refresh, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { SORT, drawSort } from './take-cards.js';
import { countWords, numberOf, seamSentences, takeName, takeSpoken } from './take-words.js';
import { sorted, wishLine } from './wish-words.js';

/** The take that the short sheet shows: the one that is heard, else the kept one, else the first that is ready; null without one. */
export function shownTake(tracks, heard) {
  const takes = tracks.filter(({ kind }) => kind === 'take');
  const ready = takes.filter(({ state }) => state === 'ready');
  return ready.find(({ id }) => id === heard) ?? ready.find(({ kept }) => kept) ?? ready[0] ?? takes[0] ?? null;
}

export class TakeRow extends HTMLElement {
  #scope = null;

  connectedCallback() {
    if (!this.firstElementChild) render(this, html`<header><span class="count soft"></span><span class="spring"></span>${SORT}</header><div class="list"></div>`);
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => ['takes', 'player', 'doc'].includes(detail.what) && this.#draw(), options);
    this.addEventListener('click', (event) => this.#click(event), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    const tracks = sorted(desk.group?.tracks ?? [], desk.sorting);
    const shown = shownTake(tracks, desk.track?.id);
    this.hidden = !shown;
    if (!shown) return;
    this.querySelector('.count').textContent = countWords(tracks);
    drawSort(this.querySelector('.sort'), tracks);
    const rows = tracks.filter(({ kind }) => kind === 'take').map((track) => this.#row(track, track === shown));
    refresh(this.querySelector('.list'), html`${rows}`);
  }

  #row(track, shown) {
    const heard = desk.track?.id === track.id;
    const playing = heard && desk.player.playing;
    const ready = track.state === 'ready';
    const keep = ready ? html`<button data-act="keep" data-id="${track.id}" ${attributes({ disabled: track.kept })}>${track.kept ? 'Kept' : 'Keep'}</button>` : '';
    return html`<article class="${shown ? 'shown' : ''} ${heard ? 'heard' : ''}" aria-label="${takeSpoken(track)}">
      <button class="hear" data-act="hear" data-id="${track.id}" ${attributes({ disabled: !ready })} aria-label="${playing ? 'Pause' : 'Play'} take ${numberOf(track)}" title="${playing ? 'Pause' : 'Play'}">
        <kbd>${numberOf(track)}</kbd>${tag(track.engine)}<span class="says">${this.#lines(track)}</span></button>${keep}</article>`;
  }

  /** What came of the wish and how the ends sound, one line each. */
  #lines(track) {
    const line = (icon, words) => html`<span class="say">${icons[icon]}<span>${words}</span></span>`;
    if (track.state !== 'ready') return line('clock', track.note || `${engineOf(track.engine).tag} ${track.state}`);
    const wish = wishLine(track);
    const [seam] = seamSentences(track.seams);
    return [
      wish ? line(wish.icon, wish.brief || wish.words) : line('wave', takeName(track)),
      seam ? line(seam.rough ? 'warn' : 'check', seam.words) : line('check', 'A new clip'),
    ];
  }

  #click(event) {
    const button = event.target.closest('button');
    const track = desk.group?.tracks.find(({ id }) => id === button?.dataset.id);
    if (button?.dataset.act === 'sort') desk.sortTakes(button.dataset.by);
    else if (button?.dataset.act === 'keep') desk.keep(track);
    else if (track && desk.player.playing && desk.track?.id === track.id) desk.player.pause();
    else if (track) desk.audition(track);
  }
}

customElements.define('inlay-take', TakeRow);
