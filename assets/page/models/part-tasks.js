/**
 * <inlay-parts>: one part of what plays in the span, added, taken out or left alone, where the model that FM comes from
 * was taught to. Out of sight for all others. In the page's own tree.
 */

import { desk } from '../store/desk.js';
import { html, refresh, render } from '../parts/markup.js';
import { Scope } from '../parts/scope.js';
import { whyNoInpaint } from '../store/why.js';

const TASKS = {
  add: ['Add a part', 'Keeps the span and plays the chosen part to it'],
  'take-out': ['Take a part out', 'Keeps the span but for the chosen part'],
  alone: ['Only it', 'Keeps the chosen part of the span alone'],
};

export class PartTasks extends HTMLElement {
  #scope = null;
  #part = '';

  connectedCallback() {
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', () => this.#draw(), options);
    this.addEventListener('click', ({ target }) => this.#run(target.closest('button')?.dataset.task), options);
    this.addEventListener('change', ({ target }) => { this.#part = target.value; }, options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  #draw() {
    const { tasks, stems } = desk.doc;
    this.hidden = !tasks.length;
    if (this.hidden) return;
    if (!stems.includes(this.#part)) [this.#part] = stems;
    const off = whyNoInpaint(desk.doc, desk.run);
    if (!this.firstElementChild) render(this, html`<div class="parts" role="group" aria-label="One part of the span"></div>`);
    refresh(this.firstElementChild, html`<label><span>Part</span><select aria-label="Part">${stems.map((name) => html`<option>${name}</option>`)}</select></label>${tasks
      .map((task) => html`<button data-task="${task}">${TASKS[task][0]}</button>`)}`);
    this.querySelector('select').value = this.#part; // set, not written: what has the focus keeps it
    for (const button of this.querySelectorAll('button')) {
      button.disabled = Boolean(off);
      button.title = off || TASKS[button.dataset.task][1];
    }
  }

  #run(task) {
    if (task) desk.send('run', { task, part: this.#part });
  }
}

customElements.define('inlay-parts', PartTasks);
