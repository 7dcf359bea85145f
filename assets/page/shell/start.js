/**
 * <inlay-start>: the page before there is a clip. Describe one, open an example, or bring a recording; or go on
 * with empty lanes, to draw on them first. Gone as soon as the project holds anything.
 */

import { KEYS } from '../music/chords.js';
import { Scope } from '../parts/scope.js';
import { desk } from '../store/desk.js';
import { icons, text } from '../parts/icons.js';
import { buildPyramid, loudest } from '../sound/peaks.js';
import { progressionCells, progressionsIn } from '../music/progressions.js';
import { STORY, drawStory } from '../takes/story.js';
import { showWhenStyled, styles } from '../parts/styled.js';
import { formatLength } from '../music/time.js';
import { arrivalWords } from '../store/arrivals.js';
import { chooseFile } from './upload.js';
import { drawWave, prepare, tokens } from '../parts/wave.js';

const STYLE = new URL('./start.css', import.meta.url).href;
const EXAMPLES = new URL('../../examples/', import.meta.url);
const SHOWN = ['01.flac', '05.flac', '11.flac']; // of the clips that the bundle made
const PASSED = 'inlay-started'; // sessionStorage: project in which the lanes were chosen
const BARS = [2, 4, 8, 12, 16];
const TRIES = {
  'Lo-fi trio, late night': 'warm electric piano, brushed drums, upright bass',
  'Nylon guitar bossa': 'nylon guitar, soft percussion, bossa nova',
  'Analog synth, slow build': 'analog synth pads, slow build, deep bass',
  'Brass and breakbeat': 'brass section, breakbeat drums, funky bass',
};

const TEMPLATE = `
${styles(STYLE)}
<div class="page">
  <h1>Start a clip</h1>
  <form class="ask">
    <textarea rows="2" maxlength="2000" aria-label="Describe the clip" placeholder="Describe it: warm electric piano, brushed drums, upright bass"></textarea>
    <div class="knobs">
      <label class="pick"><select class="bars" aria-label="Length of the new clip">${BARS.map((bars) => `<option value="${bars}" ${bars === 4 ? 'selected' : ''}>${bars} bars</option>`).join('')}</select></label>
      <label class="pick number"><input class="bpm" type="number" min="20" max="300" step="any" value="120" aria-label="Tempo of the new clip"><span>bpm</span></label>
      <label class="pick"><select class="key" aria-label="Key of the new clip">${KEYS.map((key) => `<option>${text(key)}</option>`).join('')}</select></label>
      <label class="pick"><select class="chords" aria-label="Chords of the new clip"></select></label>
      <span class="spring"></span>
      <button class="primary make" title="A new clip from these words (Ctrl ↵)" disabled>Generate <kbd>Ctrl ↵</kbd></button>
    </div>
  </form>
  <p class="tries"><span class="soft">Try</span>${Object.keys(TRIES).map((name) => `<button class="pill" data-try="${text(name)}">${text(name)}</button>`).join('')}
    <span class="spring"></span><button class="lanes" title="Draw chords, melody and drums first">Begin with empty lanes</button></p>
  <div class="ways">
    <section><h2>Open an example</h2><div class="examples"></div></section>
    <section><h2>Or bring a recording</h2><div class="drop"><span class="signs">${icons.wave}${icons.midi}${icons.folder}</span><b>Drop a file here</b>
      <p class="soft">WAV, FLAC, OGG or MP3 up to 40 minutes, MIDI, or an Inlay project.<br>Chords, melody and drums are read from it for you.</p>
      <div class="row"><button class="choose">${icons.file}<span>Choose a file</span></button> <button class="record" title="From the microphone or a MIDI keyboard (⇧R)">${icons.mic}<span>Record</span></button></div><div class="arriving" role="status"></div></div></section>
  </div>
  <div class="story">${STORY}</div>
</div>`;

export class Start extends HTMLElement {
  #scope = null;
  #pyramids = new Map(); // file -> its pyramid
  #asked = false;
  #shown = null;
  #project = ''; // that was shown last

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: 'open' }).innerHTML = TEMPLATE;
      showWhenStyled(this);
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
    this.#scope.observe(new MutationObserver(() => this.#draw()), document.body, { attributes: true, attributeFilter: ['class'] });
    this.#scope.observe(new ResizeObserver(() => this.#draw()), this);
    desk.addEventListener('change', ({ detail }) => detail.what === 'arriving' && this.#tellArrival(), options);
    this.#offer();
    this.#show();
  }

  /** A file on its way, step by step, or why it was refused; in the place where one is dropped. */
  #tellArrival() {
    const { arriving } = desk;
    const zone = this.find('.drop');
    zone.classList.toggle('refused', Boolean(arriving?.error));
    zone.classList.toggle('busy', Boolean(arriving?.step));
    this.find('.choose span').textContent = arriving?.error ? 'Choose another file' : 'Choose a file';
    this.find('.choose').disabled = Boolean(arriving?.step);
    const steps = ['uploading', 'reading'].map((step, i) => `<li class="${arriving?.step === step ? 'now' : ''}"><b class="num">${i + 1}</b>${step === 'uploading' ? 'Uploading' : 'Reading'}</li>`);
    this.find('.arriving').innerHTML = !arriving ? '' : arriving.error ? `<p class="error">${icons.warn}<span>${text(arriving.error)}</span></p>`
      : `<p><b>${text(arrivalWords(arriving))}</b></p><ol>${steps.join('')}<li><b class="num">3</b>Listening</li></ol>`;
  }

  disconnectedCallback() {
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
    if (this.#shown === blank) return;
    this.#shown = blank;
    this.hidden = !blank;
    if (!blank) return;
    this.#examples();
    this.#draw();
    if (matchMedia('(pointer: fine)').matches) this.find('textarea').focus();
  }

  #ready() {
    this.find('.make').disabled = !this.find('textarea').value.trim();
  }

  /** The progressions of the key. */
  #offer() {
    this.find('.chords').innerHTML = `<option value="">No chords yet</option>${progressionsIn(this.find('.key').value)
      .map(({ name, symbols }, i) => `<option value="${i}">${text(`${symbols.slice(0, 4).join(' ')}${symbols.length > 4 ? ' …' : ''} (${name})`)}</option>`).join('')}`;
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.try) {
      this.find('textarea').value = TRIES[button.dataset.try];
      this.#ready();
      this.find('textarea').focus();
    } else if (button.matches('.make')) this.#make();
    else if (button.matches('.choose')) chooseFile();
    else if (button.matches('.lanes')) this.pass();
    else if (button.matches('.record')) {
      this.pass();
      desk.record?.toggle();
    }
    else if (button.dataset.example) desk.send('upload', { example: button.dataset.example });
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

  // ---- examples

  async #examples() {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const { examples } = await (await fetch(new URL('examples.json', EXAMPLES))).json();
      const shown = examples.filter(({ file }) => SHOWN.includes(file));
      this.find('.examples').innerHTML = shown.map(({ file, style, seconds, prompt }) => `<button data-example="${text(file)}" title="${text(prompt)}">
        <canvas></canvas><span><b>${text(style[0].toUpperCase() + style.slice(1))}</b><span class="soft num">${formatLength(seconds)}, ${text(prompt.split(',').slice(0, 2).join(','))}</span></span>${icons.right}</button>`).join('');
      await Promise.all(shown.map(({ file }) => this.#read(file)));
    } catch {
      this.find('.examples').innerHTML = '<p class="soft">The examples are not installed.</p>';
    }
    this.#draw();
  }

  async #read(file) {
    const sound = await (await fetch(new URL(file, EXAMPLES))).arrayBuffer();
    const audio = new OfflineAudioContext(1, 1, 32_000);
    const buffer = await audio.decodeAudioData(sound);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
    this.#pyramids.set(file, { ...buildPyramid(channels), rate: buffer.sampleRate, start: 0 });
  }

  #draw() {
    if (this.hidden) return;
    const colour = tokens(this);
    drawStory(this.shadowRoot.querySelectorAll('.story canvas'), colour);
    for (const button of this.shadowRoot.querySelectorAll('[data-example]')) {
      const pyramid = this.#pyramids.get(button.dataset.example);
      if (!pyramid) continue;
      const { c, width, height } = prepare(button.querySelector('canvas'));
      const view = { start: 0, pps: (width * pyramid.rate) / pyramid.length };
      const shape = { middle: height / 2, half: height / 2 - 2, gain: 0.95 / Math.max(loudest(pyramid), 0.05) };
      drawWave(c, pyramid, view, { ...shape, from: 0, to: width, colour: colour('wave') });
    }
  }
}

customElements.define('inlay-start', Start);
