/**
 * <inlay-note>: words that speak against a lane or the tempo, one at a time, worst first, and the click that settles
 * it. Silent while words are being typed. Also says on the chips which lanes are ignored in a span, and aloud
 * when a lane was ticked by drawing on it. In the page's own tree.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { html, refresh } from '../parts/markup.js';
import { capital, isMany } from '../music/band.js';

const PAUSE = 600; // ms after the last letter
const INFO = html`<svg class="icon" width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" aria-hidden="true"><circle cx="8" cy="8" r="6"/><path d="M8 7.4v3.4M8 5.1v.1"/></svg>`;

/** The lanes that an edit has ticked for the same span: names that are followed now and were not before. */
export function ticked(before, now) {
  if (!before || before.active !== now.active || !now.active) return [];
  return now.follow.filter((lane) => !before.follow.includes(lane) && now.changedLanes.includes(lane));
}

export class ConflictNote extends HTMLElement {
  #scope = null;
  #typing = false;
  #pause = () => {}; // takes the timer back
  #before = null;

  connectedCallback() {
    this.setAttribute('role', 'status');
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => detail.what === 'doc' && this.#draw(), options);
    document.addEventListener('input', ({ target }) => {
      if (!target.matches?.('#prompt textarea')) return;
      this.#pause();
      this.#typing = true;
      this.#pause = this.#scope.later(PAUSE, () => {
        this.#typing = false;
        this.#draw();
      });
      this.#draw();
    }, options);
    this.addEventListener('click', (event) => event.target.closest('button') && this.#settle(), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    const { conflicts = [], spans, active, follow } = desk.doc;
    const [first] = this.#typing ? [] : conflicts;
    const count = conflicts.length > 1 ? html`<span class="count num">1 of ${conflicts.length}</span>` : '';
    refresh(this, first ? html`<div class="note">${INFO}<p>${first.text} <button class="remedy">${first.action}</button></p>${count}</div>` : html``);
    this.#chips(spans);
    const now = { active, follow, changedLanes: spans.find(({ id }) => id === active)?.changed ?? [] };
    for (const lane of ticked(this.#before, now)) desk.timeline?.say(`${capital(lane)} ${isMany(lane) ? 'are' : 'is'} followed now`);
    this.#before = now;
  }

  /** "Drums −1" where one span ignores the lane that the chip stands for. */
  #chips(spans) {
    for (const label of document.querySelectorAll('#follow label')) {
      const lane = label.textContent.trim().toLowerCase(); // the chip is called as its lane is
      const numbers = spans.flatMap((span, i) => (span.ignored?.includes(lane) ? [i + 1] : []));
      const [count, words] = numbers.length ? [`−${numbers.length}`, `Ignored in span ${numbers.join(', ')}`] : ['', ''];
      const untaken = desk.doc.untaken?.[lane] ?? '';
      if ((label.dataset.ignored ?? '') !== count) label.dataset.ignored = count;
      if (label.title !== (words || untaken)) label.title = words || untaken;
    }
  }

  #settle() {
    const [first] = desk.doc.conflicts ?? [];
    if (first) desk.edit(first.name, first.payload, { conflicts: desk.doc.conflicts.slice(1) });
  }
}

customElements.define('inlay-note', ConflictNote);
