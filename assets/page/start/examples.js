/** The clips that the bundle made, as tiles: each is heard by its button before it is opened. One sounds at a time. */

import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { formatLength } from '../music/time.js';

const EXAMPLES = new URL('../../examples/', import.meta.url);

const title = (words) => words[0].toUpperCase() + words.slice(1);

/** "0:07, 162 bpm, C major", of words where it was made from words alone. */
export function exampleWords({ seconds, grid, key, prompt }) {
  const of = grid ? [`${Math.round(grid.bpm)} bpm`, key] : [prompt.split(',')[0]];
  return [formatLength(seconds), ...of.filter(Boolean)].join(', ');
}

/** What a tile is called: "Salsa, span re-made". */
export const exampleName = ({ style, kind }) => `${title(style)}${kind === 'span' ? ', span re-made' : ''}`;

const tile = (example) => {
  const { file, seconds, grid, prompt } = example;
  const name = exampleName(example);
  const spoken = [`Open ${name}`, `${Math.round(seconds)} seconds`, grid ? `${Math.round(grid.bpm)} bpm` : ''].filter(Boolean).join(', ');
  return html`<li><button class="hear" data-hear="${file}" aria-label="Play ${name}" aria-pressed="false" title="Play or stop">${icons.play}</button><button class="open" data-example="${file}" aria-label="${spoken}" title="${prompt}"><b>${name}</b><span class="soft num">${exampleWords(example)}</span></button></li>`;
};

export class Examples {
  #host;
  #sound = null; // the Audio that plays
  #file = '';
  #asked = false;

  constructor(host) {
    this.#host = host;
  }

  /** Shows the tiles, once. */
  async load() {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const { examples } = await (await fetch(new URL('examples.json', EXAMPLES))).json();
      render(this.#host, html`${examples.map(tile)}`);
    } catch {
      render(this.#host, html`<li class="soft none">The examples are not installed.</li>`);
    }
  }

  /** Plays one, or stops the one that plays. */
  toggle(file) {
    const again = this.#file === file;
    this.stop();
    if (again) return;
    this.#file = file;
    const sound = new Audio(new URL(file, EXAMPLES).href);
    this.#sound = sound;
    this.#mark(true);
    const over = (unread) => {
      if (this.#sound !== sound) return;
      this.stop();
      if (unread) this.#refuse(file);
    };
    sound.addEventListener('ended', () => over(false));
    sound.addEventListener('error', () => over(true));
    sound.play().catch((error) => over(error.name !== 'AbortError'));
  }

  stop() {
    if (!this.#sound) return;
    this.#sound.pause();
    this.#sound = null;
    this.#mark(false);
    this.#file = '';
  }

  #tile(file) {
    return [...this.#host.children].find((node) => node.querySelector('[data-hear]')?.dataset.hear === file);
  }

  #mark(playing) {
    const node = this.#tile(this.#file);
    const button = node?.querySelector('.hear');
    if (!button) return;
    node.classList.toggle('playing', playing);
    button.setAttribute('aria-pressed', String(playing));
    render(button, playing ? icons.pause : icons.play);
  }

  #refuse(file) {
    const node = this.#tile(file);
    if (!node) return;
    node.classList.add('broken');
    node.querySelector('.open .soft').textContent = 'could not be read';
  }
}
