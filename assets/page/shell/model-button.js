/**
 * <inlay-model>: which models are at work and on what; behind the button the sheet of all models. Says how far one is
 * that comes meanwhile. In the page's own tree.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { models, share } from '../models/getting.js';
import { percent } from '../models/model-words.js';

export class ModelButton extends HTMLElement {
  #scope = null;

  connectedCallback() {
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', () => this.#draw(), options); // the card comes with the first document
    this.addEventListener('click', (event) => event.target.closest('button') && desk.tell('show-models'), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    if (!desk.model.name) return;
    const device = models()?.device ?? desk.model.device ?? '';
    const far = share();
    const words = `${names()}, ${device.split(',')[0]}${far === null ? '' : ` · ${percent(far)}`}`;
    if (!this.firstElementChild) render(this, html`<button class="text-button" aria-haspopup="dialog" title="Models and device (⇧M). The times beside the engines are for this span">${icons.chip}<span></span></button>`);
    this.querySelector('span').textContent = words;
  }
}

/** What AR and FM come from: one name, or both. */
function names() {
  const titleOf = (name) => (name ? (models()?.rows.find((row) => row.name === name)?.title ?? name) : desk.model.name);
  const { arFrom, fmFrom } = desk.doc;
  return [...new Set([titleOf(arFrom), titleOf(fmFrom)])].join(' and ');
}

customElements.define('inlay-model', ModelButton);
