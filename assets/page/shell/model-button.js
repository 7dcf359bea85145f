/**
 * <inlay-model>: which models are at work and on what, and behind the button what one has to know of them. What it says
 * comes with the page from the bundle's own card, how fast it is here from the server when it is asked. In the page's
 * own tree; its popover is the timeline's.
 */

import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { Popover } from '../parts/popover.js';

class ModelCard extends Popover {
  constructor(timeline) {
    super(timeline, 'The models at work', 'model-card');
  }

  #work = null; // as of `desk.atWork`

  show(anchor, home) {
    super.show(anchor, home);
    desk.atWork().then((work) => {
      this.#work = work;
      if (this.isOpen) this.again('[data-act=close]');
    });
  }

  markup() {
    const { name, file, licence, duty, facts } = desk.model;
    const device = this.#work?.device ?? desk.model.device;
    const speeds = this.#work ? this.#work.engines.map(({ tag, speed }) => html`<li><b>${tag}</b> ${speed}</li>`) : html`<li>…</li><li>…</li><li>…</li>`; // as high as what comes
    return html`<h2>${name}<span class="soft">${file}</span><button class="ic" data-act="close" aria-label="Close">${icons.close}</button></h2>
      <dl><div><dt>Runs on</dt><dd>${device}</dd></div>
      <div><dt>Licence</dt><dd>${[duty, licence].filter(Boolean).join(' · ')}</dd></div>
      <div><dt>Speed</dt><dd><ol>${speeds}</ol></dd></div></dl>
      <ul>${facts.map((fact) => html`<li>${fact}</li>`)}</ul><p class="foot"><button data-act="about">About, guide, every licence</button></p>`;
  }

  press({ dataset }) {
    this.close();
    if (dataset.act === 'about') desk.tell('about', { page: 'six' });
  }
}

export class ModelButton extends HTMLElement {
  #scope = null;
  #card = null;

  connectedCallback() {
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', () => this.#draw(), options); // the card comes with the first document
    this.addEventListener('click', (event) => this.#open(event.target.closest('button')), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    const { name, device } = desk.model;
    if (!name || this.firstElementChild) return;
    render(this, html`<button class="text-button" aria-haspopup="dialog" title="Models and device. The times beside the engines are for this span">${icons.chip}<span>${name}, ${device.split(',')[0]}</span></button>`);
  }

  #open(button) {
    if (!button || !desk.timeline) return;
    this.#card ??= new ModelCard(desk.timeline);
    this.#card.show(button);
  }
}

customElements.define('inlay-model', ModelButton);
