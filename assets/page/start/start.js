/**
 * <inlay-start>: the page before there is a clip. Describe one, bring a recording, go on with a project, or hear and
 * open an example; or begin with empty lanes, to draw on them first. Gone as soon as the project holds anything.
 */

import { KEYS } from '../music/chords.js';
import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { html, render } from '../parts/markup.js';
import { progressionCells, progressionsIn } from '../music/progressions.js';
import { STORY, drawScenes } from '../takes/story.js';
import { showWhenStyled, styles } from '../parts/styled.js';
import { tokens } from '../parts/wave.js';
import { chooseFile } from '../shell/upload.js';
import { DROP_ZONE, tellArrival, tellProgress } from './drop-zone.js';
import { Examples } from './examples.js';
import { drawPictures, projectRow } from './recent.js';

const STYLE = new URL('./start.css', import.meta.url).href;
const RECENT = 3;
const PASSED = 'inlay-started'; // sessionStorage: project in which the lanes were chosen
const BARS = [2, 4, 8, 12, 16];
const TRIES = {
  'Lo-fi trio, late night': 'warm electric piano, brushed drums, upright bass',
  'Nylon guitar bossa': 'nylon guitar, soft percussion, bossa nova',
  'Analog synth, slow build': 'analog synth pads, slow build, deep bass',
  'Brass and breakbeat': 'brass section, breakbeat drums, funky bass',
};

const TEMPLATE = html`
${styles(STYLE)}
<div class="page">
  <h1>Start a clip</h1>
  <form class="ask">
    <textarea rows="2" maxlength="2000" aria-label="Describe the clip" placeholder="Describe it: warm electric piano, brushed drums, upright bass"></textarea>
    <div class="knobs">
      <label class="pick"><select class="bars" aria-label="Length of the new clip"></select></label>
      <label class="pick number"><input class="bpm" type="number" min="20" max="300" step="any" value="120" aria-label="Tempo of the new clip"><span>bpm</span></label>
      <label class="pick"><select class="key" aria-label="Key of the new clip">${KEYS.map((key) => html`<option>${key}</option>`)}</select></label>
      <label class="pick"><select class="chords" aria-label="Chords of the new clip"></select></label>
      <span class="spring"></span>
      <button class="primary make" title="A new clip from these words (Ctrl ↵)" disabled>Generate <kbd>Ctrl ↵</kbd></button>
    </div>
  </form>
  <p class="tries"><span class="soft">Try</span>${Object.keys(TRIES).map((name) => html`<button class="pill" data-try="${name}">${name}</button>`)}
    <span class="spring"></span><button class="lanes" title="Draw chords, melody and drums first">Begin with empty lanes</button></p>
  <div class="ways">
    <section class="recent"><h2><span>How it works</span><button class="all" hidden></button></h2><div class="rows"><div class="story">${STORY}</div></div></section>
    <section><h2>Or bring a recording</h2>${DROP_ZONE}</section>
  </div>
  <section class="made"><h2><span>Examples</span><span class="soft">Made by the model that comes with Inlay</span></h2><ul class="examples"></ul></section>
</div>`;

export class Start extends HTMLElement {
  #scope = null;
  #clock = null; // while a file comes
  #examples = null;
  #shown = null;
  #listed = ''; // the projects that stand in the list
  #entries = []; // the projects of the list
  #project = ''; // that was shown last

  connectedCallback() {
    if (!this.shadowRoot) {
      render(this.attachShadow({ mode: 'open' }), TEMPLATE);
      showWhenStyled(this);
      this.#examples = new Examples(this.find('.examples'));
    }
    this.#scope = new Scope();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', ({ detail }) => ['doc', 'takes', 'view'].includes(detail.what) && this.#show(), options);
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.find('form').addEventListener('submit', (event) => event.preventDefault(), options);
    this.find('textarea').addEventListener('input', () => this.#ready(), options);
    this.find('textarea').addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#make();
    }, options);
    this.find('.key').addEventListener('change', () => this.#offer(), options);
    this.find('.bpm').addEventListener('input', () => this.#lengths(), options);
    this.#scope.observe(new MutationObserver(() => this.#draw()), document.body, { attributes: true, attributeFilter: ['class'] });
    this.#scope.observe(new ResizeObserver(() => this.#draw()), this);
    desk.addEventListener('change', ({ detail }) => detail.what === 'arriving' && this.#arriving(), options);
    this.#lengths();
    this.#offer();
    this.#show();
  }

  /** A file on its way, told each second. */
  #arriving() {
    this.#clock?.end();
    tellArrival(this.find('.drop'), desk.arriving, desk.arrival);
    if (!desk.arriving?.step) return;
    this.#clock = new Scope();
    this.#clock.every(1000, () => tellProgress(this.find('.drop'), desk.arrival));
  }

  disconnectedCallback() {
    this.#clock?.end();
    this.#examples?.stop();
    this.#scope?.end();
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  /** Whether there is nothing yet: before the server has answered, whether this tab had no project before. */
  get #blank() {
    const { doc, groups, run } = desk;
    if (!doc.serial) return !sessionStorage.getItem('inlay-project');
    return !doc.clip && !run && !groups.length && !['chords', 'melody', 'drums'].some((lane) => doc[lane].length)
      && sessionStorage.getItem(PASSED) !== (doc.project ?? '');
  }

  #show() {
    const project = desk.doc.project ?? '';
    // The first edit made a project of what was nothing: whoever had gone on to the lanes stays there.
    if (project && !this.#project && sessionStorage.getItem(PASSED) === '') sessionStorage.setItem(PASSED, project);
    this.#project = project;
    const blank = this.#blank && desk.view === 'edit';
    const page = document.querySelector('#page');
    if (page) page.toggleAttribute('data-start', blank);
    if (blank && desk.doc.serial) this.#recent();
    if (this.#shown === blank) return;
    this.#shown = blank;
    this.hidden = !blank;
    if (!blank) return void this.#leave();
    this.#examples.load();
    this.#draw();
    if (matchMedia('(pointer: fine)').matches) this.find('textarea').focus();
  }

  /** Something else is on the page: nothing sounds on, and the list is asked for anew the next time. */
  #leave() {
    this.#examples.stop();
    this.#listed = '';
  }

  /** What was worked on last; whoever has nothing yet is told how it works. */
  async #recent() {
    if (this.#listed) return;
    this.#listed = 'asked';
    const entries = (await desk.recentProjects()).filter(({ seconds, takes }) => seconds || takes);
    if (this.hidden || !entries.length) return;
    this.find('.recent h2 span').textContent = 'Go on with';
    const all = this.find('.all');
    all.hidden = false;
    all.textContent = entries.length === 1 ? 'Search' : `All ${entries.length} projects, search`;
    const shown = this.#entries = entries.slice(0, RECENT);
    render(this.find('.recent .rows'), html`${shown.map((entry) => projectRow(entry))}`);
    await drawPictures(this.find('.recent .rows'), shown, (folder) => desk.pictureOf(folder));
  }

  #ready() {
    this.find('.make').disabled = !this.find('textarea').value.trim();
  }

  /** "4 bars, 8 s" at the tempo that stands there. */
  #lengths() {
    const bpm = Number(this.find('.bpm').value) || 120;
    const bars = this.find('.bars');
    const chosen = bars.value || '4';
    const seconds = (count) => Number(((count * desk.doc.grid.beats_per_bar * 60) / bpm).toFixed(1));
    render(bars, html`${BARS.map((count) => html`<option value="${count}">${count} bars, ${seconds(count)} s</option>`)}`);
    bars.value = chosen;
  }

  /** The progressions of the key. */
  #offer() {
    render(this.find('.chords'), html`<option value="">No chords yet</option>${progressionsIn(this.find('.key').value)
      .map(({ name, symbols }, i) => html`<option value="${i}">${symbols.slice(0, 4).join(' ')}${symbols.length > 4 ? ' …' : ''} (${name})</option>`)}`);
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.try) this.#try(TRIES[button.dataset.try]);
    else if (button.matches('.make')) this.#make();
    else if (button.matches('.choose')) chooseFile();
    else if (button.matches('.cancel')) desk.withdraw();
    else if (button.matches('.lanes')) this.pass();
    else if (button.matches('.all')) desk.tell('projects');
    else if (button.dataset.hear) this.#examples.toggle(button.dataset.hear);
    else if (button.matches('.record')) this.#record();
    else if (button.dataset.example) desk.send('upload', { example: button.dataset.example });
    else if (button.dataset.folder) desk.send('project', { action: 'open', folder: button.dataset.folder, rev: desk.nextRev() });
  }

  #try(words) {
    this.find('textarea').value = words;
    this.#ready();
    this.find('textarea').focus();
  }

  #record() {
    this.pass();
    desk.record?.toggle();
  }

  /** On to the lanes, empty as they are. */
  pass() {
    sessionStorage.setItem(PASSED, desk.doc.project ?? '');
    this.#show();
    desk.timeline?.board.focus();
  }

  /** What was asked for goes where the editor keeps it; then Generate is pressed there. */
  async #make() {
    const words = this.find('textarea').value.trim();
    if (!words) return;
    const { grid } = desk.doc;
    const bars = Number(this.find('.bars').value);
    const bpm = Number(this.find('.bpm').value) || grid.bpm;
    const key = this.find('.key').value;
    const progression = progressionsIn(key)[this.find('.chords').value];
    const beats = bars * grid.beats_per_bar;
    if (bpm !== grid.bpm) desk.setGrid({ bpm });
    if (key !== desk.key) desk.edit('set_key', { key }, { key });
    if (progression) desk.editLane('set_progression', 'chords', progressionCells(progression.symbols, 0, beats, grid.beats_per_bar));
    sessionStorage.setItem(PASSED, desk.doc.project ?? '');
    this.#show();
    await desk.answer(desk.doc.rev);
    desk.tell('generate', { words, seconds: Math.round((beats * 6000) / bpm) / 100 });
  }

  #draw() {
    if (this.hidden) return;
    drawScenes(this.shadowRoot.querySelectorAll('.story canvas'), tokens(this));
    // The pictures' colours are the theme's; their sizes are the window's.
    const rows = this.find('.recent .rows');
    if (rows.querySelector('.project')) drawPictures(rows, this.#entries, (folder) => desk.pictureOf(folder));
  }
}

customElements.define('inlay-start', Start);
