/**
 * <inlay-intent>: whether the active span blends in or changes, and who picked that. Turned over by a click, the arrow
 * keys or U; "Pick for me" leaves it to what was asked. In the page's own tree.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { html, refresh, render } from '../parts/markup.js';

const CHOICES = [
  ['blend', 'Blend in', 'Begins from the music around the span. Smoothest seams; new words count for little. (U)'],
  ['change', 'Change', 'Begins from nothing, so words and lanes decide. Seams are harder. (U)'],
];

/** The document's spans with the intent of one changed, as the server will answer. */
export function turned(spans, id, intent) {
  return spans.map((span) => {
    if (span.id !== id) return span;
    if (intent === 'auto') return { ...span, intent };
    return { ...span, intent, resolved: intent, reason: 'Picked by you.' };
  });
}

export class Intent extends HTMLElement {
  #scope = null;

  connectedCallback() {
    if (!this.firstElementChild) {
      render(this, html`<div class="intent" role="radiogroup" aria-label="Intent" aria-describedby="intent-reason">${CHOICES.map(
        ([id, words, tip]) => html`<button role="radio" data-intent="${id}" title="${tip}">${words}</button>`)}</div>
        <p id="intent-reason" aria-live="polite"></p>`);
    }
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => detail.what === 'doc' && this.#draw(), options);
    this.addEventListener('click', ({ target }) => this.#choose(target.closest('button')?.dataset.intent), options);
    this.addEventListener('keydown', (event) => this.#key(event), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  get #span() {
    const { spans, active, clip } = desk.doc;
    return clip ? spans.find(({ id }) => id === active) : undefined;
  }

  #draw() {
    const span = this.#span;
    this.hidden = !span;
    if (!span) return;
    for (const button of this.querySelectorAll('[role=radio]')) {
      const checked = button.dataset.intent === (span.resolved ?? 'blend');
      button.setAttribute('aria-checked', String(checked));
      button.tabIndex = checked ? 0 : -1;
    }
    const by = span.intent === 'auto' || !span.intent ? '' : html` <button class="remedy" data-intent="auto">Pick for me</button>`;
    refresh(this.querySelector('#intent-reason'), html`<span>${span.reason}</span>${by}`);
    this.querySelector('.intent').title = span.reason ?? ''; // where there is no room for the line
  }

  #choose(intent) {
    const span = this.#span;
    if (!span || !intent || span.intent === intent) return;
    desk.edit('set_intent', { span: span.id, intent }, { spans: turned(desk.doc.spans, span.id, intent) });
    if (intent === 'auto') this.querySelector('[aria-checked=true]')?.focus();
  }

  #key(event) {
    if (!['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(event.key) || !event.target.matches('[role=radio]')) return;
    event.preventDefault();
    event.stopPropagation();
    const other = event.target.dataset.intent === 'blend' ? 'change' : 'blend';
    this.#choose(other);
    this.querySelector(`[data-intent=${other}]`).focus();
  }
}

customElements.define('inlay-intent', Intent);
