/**
 * <inlay-spans>: the spans in the panel, a row of exact times for each, and whose words are shown
 * below. In the page's own tree, so that the page's styles and tests reach it. Errors stand under their row.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';

/** Two decimals, or three where they are needed. */
const shown = (seconds) => (Math.abs(seconds * 100 - Math.round(seconds * 100)) < 0.05 ? seconds.toFixed(2) : seconds.toFixed(3));

/** Why a span's times cannot be used, or "". */
export function spanError(start, end, duration) {
  if (!Number.isFinite(start) || !Number.isFinite(end)) return 'Both times are needed, in seconds';
  const told = `Span ${shown(start)}–${shown(end)} s`;
  if (end < start) return `${told}: the end must follow the start`;
  if (end - start < 1e-3) return `${told}: empty; type a later end`;
  if (start < 0 || start >= duration || end > duration + 0.02) return `${told}: outside the clip; choose times inside 0–${shown(duration)} s`;
  return '';
}

export class SpansPanel extends HTMLElement {
  #error = null; // {id, words, swap}
  #scope = null;

  connectedCallback() {
    if (!this.firstElementChild) {
      render(this, html`<div class="line"><span class="title">Spans</span><button class="text-button add" title="One more span (⇧-drag on the audio)">Add span</button></div>
        <p class="none">Drag over the audio to choose what should change.</p><ol></ol>
        <div class="line words"><label for="prompt-words">Words for the clip</label><button class="text-button own"></button></div>`);
    }
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => ['doc', 'view'].includes(detail.what) && this.#draw(), options);
    this.addEventListener('click', (event) => this.#click(event), options);
    this.addEventListener('change', (event) => this.#typed(event), options);
    this.addEventListener('focusout', () => this.#scope.later(0, () => this.#draw()), options);
    this.addEventListener('keydown', (event) => event.key === 'Enter' && event.target.matches('input') && this.#typed(event), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    const { spans, active, clip } = desk.doc;
    const list = this.querySelector('ol');
    if (this.#error && !spans.some(({ id }) => id === this.#error.id)) this.#error = null;
    this.querySelector('.none').hidden = spans.length > 0;
    this.querySelector('.add').hidden = !clip;
    while (list.children.length > spans.length) list.lastElementChild.remove();
    spans.forEach((span, index) => this.#row(list.children[index] ?? list.appendChild(this.#make()), span, index + 1));
    const span = spans.find(({ id }) => id === active);
    const number = spans.indexOf(span) + 1;
    const own = Boolean(span && span.prompt !== null);
    this.querySelector('.words label').textContent = own ? `Words for span ${number}` : 'Words for the clip';
    const button = this.querySelector('.own');
    button.hidden = !span || !clip;
    button.textContent = own ? "Use the clip's" : `Own for span ${number}`;
    button.title = own ? 'Use the words and ticked lanes of the clip again' : 'Give this span words of its own; typing does so, too';
    const words = document.querySelector('#prompt textarea');
    if (words && !words.id) words.id = 'prompt-words';
  }

  #make() {
    const row = document.createElement('li');
    render(row, html`<button class="swatch"></button><input class="start" inputmode="decimal" autocomplete="off"><span aria-hidden="true">–</span>
      <input class="end" inputmode="decimal" autocomplete="off"><span class="soft num"></span>
      <button class="remove" title="Remove the span (Esc removes the active one)">${icons.close}</button><p class="place-error" role="alert"></p>`);
    row.querySelector('.place-error').id = `span-error-${Math.random().toString(36).slice(2)}`;
    return row;
  }

  #row(row, span, number) {
    const active = span.id === desk.doc.active;
    const error = this.#error?.id === span.id ? this.#error : null;
    row.dataset.id = span.id;
    row.classList.toggle('active', active);
    const swatch = row.querySelector('.swatch');
    swatch.textContent = number;
    swatch.title = active ? `Span ${number} is what Inpaint re-makes` : `Choose span ${number} (N)`;
    swatch.setAttribute('aria-label', `Span ${number}`);
    swatch.setAttribute('aria-pressed', active);
    for (const edge of ['start', 'end']) {
      const field = row.querySelector(`.${edge}`);
      field.setAttribute('aria-label', `Span ${number} ${edge}, seconds`);
      field.setAttribute('aria-describedby', row.querySelector('.place-error').id);
      field.setAttribute('aria-invalid', Boolean(error));
      // What is being typed, or was refused, stays as it stands.
      if (field !== document.activeElement && !error) field.value = shown(span[edge]);
    }
    row.querySelector('.soft').textContent = `${(span.end - span.start).toFixed(2)} s`;
    row.querySelector('.remove').setAttribute('aria-label', `Remove span ${number}`);
    const words = error ? html`${icons.warn}<span>${error.words}. Still using ${span.start.toFixed(2)}–${span.end.toFixed(2)} s.${error.swap ? html` <button class="remedy">Swap them</button>` : ''}</span>` : html``;
    refresh(row.querySelector('.place-error'), words); // the remedy that is being pressed stays the same button
  }

  #typed(event) {
    const row = event.target.closest('li');
    if (!row || !event.target.matches('input')) return;
    const id = row.dataset.id;
    const [start, end] = ['start', 'end'].map((edge) => Number.parseFloat(row.querySelector(`.${edge}`).value.replace(',', '.')));
    const span = desk.doc.spans.find((known) => known.id === id);
    if (!span || (Math.abs(start - span.start) < 5e-4 && Math.abs(end - span.end) < 5e-4)) {
      this.#error = null;
      return this.#draw();
    }
    const words = spanError(start, end, desk.duration);
    this.#error = words ? { id, words, swap: end < start, start, end } : null;
    if (!words) return desk.putSpan({ id, start, end: Math.min(end, desk.duration) });
    return this.#draw();
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    const id = button.closest('li')?.dataset.id;
    if (button.matches('.add')) desk.timeline?.spans.add();
    else if (button.matches('.own')) {
      const span = desk.doc.spans.find((known) => known.id === desk.doc.active);
      if (span) desk.setSpanOwn(span.id, span.prompt === null);
    } else if (button.matches('.swatch')) desk.activateSpan(id);
    else if (button.matches('.remove')) desk.deleteSpan(id);
    else if (button.matches('.remedy')) {
      const { start, end } = this.#error;
      this.#error = null;
      desk.putSpan({ id, start: end, end: start });
    }
  }
}

customElements.define('inlay-spans', SpansPanel);
