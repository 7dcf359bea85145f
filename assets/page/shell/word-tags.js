/**
 * <inlay-words>: the instruments that the words name, as tags under the field, and one more by a picker.
 * The words are the active span's where it has its own, else the clip's. In the page's own tree.
 */

import { capital } from '../music/band.js';
import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';
import { worded } from '../store/typed.js';

const SLOW = 3000; // ms after which words that nobody answers to are no longer being read

/** What a tag says. */
export function tagWords({ name, plays }) {
  if (name === 'everything else') return 'Nothing else';
  return plays ? capital(name) : `No ${name}`;
}

/** Whose words stand in the field: {id, words, own} of the active span, or of the clip with id ''. */
export function wordsShown(doc) {
  const span = doc.spans.find(({ id }) => id === doc.active);
  const own = Boolean(span && span.prompt !== null);
  return { id: own ? span.id : '', words: (own ? span.words : doc.words) ?? [], own };
}

export class WordTags extends HTMLElement {
  #scope = null;
  #stopReading = () => {}; // takes the timer back

  connectedCallback() {
    if (!this.firstElementChild) render(this, html`<ul aria-label="Instruments in the words"></ul>`);
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => detail.what === 'doc' && this.#draw(), options);
    document.addEventListener('input', ({ target }) => target.matches?.('#prompt textarea') && this.#read(true), options);
    this.addEventListener('click', (event) => this.#click(event), options);
    this.#draw();
  }

  disconnectedCallback() {
    this.#scope?.end();
  }

  /** Words are being typed: the tags keep their place until the server has read them. */
  #read(going) {
    this.#stopReading();
    this.classList.toggle('reading', going);
    if (going) this.#stopReading = this.#scope.later(SLOW, () => this.#read(false));
  }

  #draw() {
    const { words } = wordsShown(desk.doc);
    if (desk.settled) this.#read(false);
    const tags = words.map((word) => html`<li class="tag-word" title="“${word.text}” in the words">${tagWords(word)}
      <button data-name="${word.name}" title="Not meant" aria-label="${tagWords(word)}: not meant">${icons.close}</button></li>`);
    refresh(this.querySelector('ul'), html`${tags}<li><button class="add" title="Name one more instrument in the words" aria-haspopup="dialog">${icons.plus}Instrument</button></li>`);
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return undefined;
    if (button.matches('.add')) return this.#add(button);
    const { id, words } = wordsShown(desk.doc);
    const rest = words.filter(({ name }) => name !== button.dataset.name);
    const spans = desk.doc.spans.map((span) => (span.id === id ? { ...span, words: rest } : span));
    desk.timeline?.say(`${capital(button.dataset.name)}: not meant. Put back: write it again or press Ctrl Z`);
    return desk.edit('word_tag', { span: id, name: button.dataset.name, meant: false }, id ? { spans } : { words: rest });
  }

  /** One more instrument, written behind the words. */
  #add(button) {
    const number = desk.doc.spans.findIndex(({ id }) => id === worded(desk.doc)) + 1;
    desk.timeline?.band?.adding.open(button, (name) => {
      const field = document.querySelector('#prompt textarea');
      const words = (field?.value ?? '').trim().replace(/[,.]$/, '');
      desk.tell('prompt', { words: words ? `${words}, ${name}` : capital(name) });
    }, number ? `to the words of span ${number}` : 'to the words of the clip');
  }
}

customElements.define('inlay-words', WordTags);
