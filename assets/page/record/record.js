/**
 * <inlay-record>: three cards in the place of the takes while recording is prepared or goes on: the microphone, the
 * count-in, the MIDI keyboard. What was recorded comes onto the lanes like a file or a gesture.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { attributes, html, refresh, render } from '../parts/markup.js';
import { Scope } from '../parts/scope.js';
import { showWhenStyled, styles } from '../parts/styled.js';
import { barWords, formatClock } from '../music/time.js';
import { pitchName } from '../music/notes.js';
import { Keyboard } from './keyboard.js';
import { GOOD, levelWords, shareOf } from './level.js';
import { Microphone } from './microphone.js';
import { drumOf } from './played.js';
import { Recorder } from './recorder.js';
import { measured } from './roundtrip.js';

const STYLE = new URL('./record.css', import.meta.url).href;
const BARS = [[0, 'None'], [1, '1 bar'], [2, '2 bars']];
const LANES = [['melody', 'Melody'], ['drums', 'Drums'], ['off', 'Off']];
const BLACK = [1, 3, 6, 8, 10];
const seg = (name, label, choices) => html`<span class="seg" role="group" aria-label="${label}">${choices.map(([value, words]) => html`<button ${attributes({ [`data-${name}`]: value })}>${words}</button>`)}</span>`;

const TEMPLATE = html`
${styles(STYLE)}
<section class="record" aria-label="Record">
  <header><i class="dot"></i><h2></h2><span class="soft num about"></span><span class="spring"></span>
    <button data-act="plays" role="switch" title="Hear the clip and the lanes while you record"><span>Play the clip</span><i class="knob"></i></button>
    <button data-act="discard" title="Keep nothing (Esc)"><span></span> <kbd>Esc</kbd></button>
    <button data-act="record" class="primary" title="Begin, or stop (⇧R)"><span></span> <kbd>⇧R</kbd></button></header>
  <div class="three">
    <article class="mic" aria-label="Microphone"><header>${icons.mic}<b>Microphone</b><span class="spring"></span><span class="soft to"></span></header>
      <select aria-label="Microphone to record from"></select>
      <div class="level" role="meter" aria-label="Level of the microphone" aria-valuemin="-60" aria-valuemax="0"><i></i><b></b></div>
      <p class="row"><span class="says"></span><span class="spring"></span><span class="soft aim">Aim for the line</span></p>
      <p class="soft foot"></p></article>
    <article class="count" aria-label="Count-in"><header>${icons.clock}<b>Count-in</b><span class="spring"></span><span class="soft num grid"></span></header>
      ${seg('bars', 'Bars that are counted in', BARS)}<div class="beats" aria-hidden="true"></div>
      <p class="soft foot">Wear headphones, or the clip is recorded too.</p></article>
    <article class="keys" aria-label="MIDI keyboard"><header>${icons.midi}<b>MIDI keyboard</b><span class="spring"></span><span class="soft armed"></span></header>
      <span class="row">${seg('lane', 'Lane that the keyboard plays into', LANES)}<button data-act="midi">Connect</button></span>
      <div class="piano" aria-hidden="true"></div>
      <p class="row foot"><span class="says"></span><span class="spring"></span><span class="soft snaps">Snaps to 1/16 when done</span></p></article>
  </div>
  <p class="live" role="status"></p>
</section>`;

export class Record extends HTMLElement {
  microphone = new Microphone();
  keyboard = new Keyboard();
  recorder = new Recorder(this.microphone, this.keyboard);
  bars = 1;
  lane = 'melody';
  plays = true;
  #measuring = ''; // what is said of the latency while it is measured
  #scope = null;
  #armed = null; // what lives while the cards are shown

  connectedCallback() {
    if (!this.shadowRoot) {
      render(this.attachShadow({ mode: 'open' }), TEMPLATE);
      showWhenStyled(this);
    }
    this.#scope = new Scope();
    desk.record = this;
    this.#scope.listen(this.shadowRoot, 'click', (event) => this.#click(event));
    this.#scope.listen(this.find('select'), 'change', () => this.microphone.open(desk.player.context, this.find('select').value));
    for (const part of [this.microphone, this.keyboard, this.recorder]) this.#scope.listen(part, ['state', 'key'], () => this.#draw());
    this.#scope.listen(this.keyboard, 'key', ({ detail }) => detail.on && this.#sound(detail.pitch));
    this.#scope.listen(desk, 'change', ({ detail }) => ['doc', 'view', 'recording'].includes(detail.what) && this.#draw());
  }

  disconnectedCallback() {
    this.disarm();
    this.#scope?.end();
    if (desk.record === this) desk.record = null;
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  get armed() {
    return Boolean(this.#armed);
  }

  /** What the key and the button do: shows the cards, begins, stops. */
  toggle() {
    if (!this.armed) return this.arm();
    return this.recorder.busy ? this.stop() : this.begin();
  }

  async arm() {
    if (desk.view !== 'edit') desk.setView('edit');
    this.#armed = new Scope();
    this.#show(true);
    this.#armed.frames(() => {
      this.#move();
      return true;
    })();
    this.microphone.open(desk.player.context);
    if (await this.keyboard.allowed()) this.keyboard.open();
    this.find('[data-act=record]').focus({ preventScroll: true });
  }

  disarm() {
    this.recorder.discard();
    this.#armed?.end();
    this.#armed = null;
    this.microphone.close();
    this.keyboard.close();
    this.#show(false);
  }

  #show(on) {
    this.hidden = !on;
    const host = this.getRootNode() instanceof ShadowRoot ? /** @type {ShadowRoot} */ (this.getRootNode()).host : null;
    for (const node of [host, document.querySelector('#stage')]) node?.toggleAttribute('data-recording', on);
    this.#draw();
    desk.tell('recording');
  }

  /** Whether there is anything to record from. */
  get ready() {
    if (this.#measuring.endsWith('…')) return false;
    return this.microphone.state === 'ready' || (this.keyboard.inputs.length > 0 && this.lane !== 'off');
  }

  begin() {
    if (!this.ready) return this.#say(this.microphone.words || 'There is nothing to record from yet.');
    const start = desk.timeline?.snapped(desk.player.position) ?? desk.player.position;
    return this.recorder.begin({ start, bars: this.bars, plays: this.plays, lane: this.lane });
  }

  async stop() {
    const words = await this.recorder.stop();
    this.#say(words || 'Recorded. Undo takes it back.');
    if (words) desk.timeline?.say(words);
    if (!words) this.disarm();
  }

  /** An action of the keyboard that means this while the cards are shown; true if it was one. */
  answers(action) {
    if (!this.armed) return false;
    const acts = { escape: () => (this.recorder.busy ? this.recorder.discard() : this.disarm()), play: () => this.stop() };
    if (!acts[action] || (action === 'play' && !this.recorder.busy)) return false;
    acts[action]();
    return true;
  }

  #sound(pitch) {
    if (!this.armed || this.lane === 'off') return;
    const drum = this.lane === 'drums' ? drumOf(pitch) : null;
    if (drum) desk.synth.blip({ kind: 'drum', drum });
    else if (this.lane === 'melody') desk.synth.blip({ kind: 'note', pitches: [pitch] });
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    const { act, bars, lane } = button.dataset;
    const acts = {
      plays: () => { this.plays = !this.plays; },
      discard: () => this.answers('escape'),
      record: () => this.toggle(),
      midi: () => this.keyboard.open(),
      again: () => this.microphone.open(desk.player.context),
      measure: () => this.#measure(),
    };
    acts[act]?.();
    if (bars) this.bars = Number(bars);
    if (lane) this.lane = lane;
    this.#draw();
  }

  /** How late the microphone is, by clicks through the speakers. */
  async #measure() {
    const { microphone } = this;
    this.#measuring = 'Listening for four clicks …';
    this.#draw();
    const seconds = await measured(microphone, desk.player.context, (at, accent) => desk.synth.clickAt(at, accent));
    this.#measuring = '';
    if (!this.armed || microphone.state !== 'ready') return;
    if (seconds === null) this.#measuring = 'No click came back: turn the speakers up, or hold a headphone to the microphone.';
    else microphone.learn(seconds);
    this.#draw();
    this.#say(this.find('.mic .foot').textContent);
    this.#measuring = '';
  }

  #say(words) {
    this.find('.live').textContent = words;
  }

  // ---- drawing

  #draw() {
    if (!this.armed) return;
    const { phase, start, busy } = this.recorder;
    const at = busy ? start : desk.timeline?.snapped(desk.player.position) ?? 0;
    this.dataset.phase = phase;
    const title = { idle: 'Ready to record', counting: 'Count-in', recording: `Recording from bar ${barWords(desk.doc.grid, at).replace(/\.1$/, '')}` }[phase];
    if (this.find('h2').textContent !== title) {
      this.find('h2').textContent = title;
      this.#say(title);
    }
    this.find('[data-act=plays]').setAttribute('aria-checked', String(this.plays));
    this.find('[data-act=discard] span').textContent = busy ? 'Discard' : 'Close';
    this.find('[data-act=record] span').textContent = busy ? 'Stop' : 'Record';
    this.find('[data-act=record]').disabled = !busy && !this.ready;
    for (const button of this.shadowRoot.querySelectorAll('[data-bars], [data-lane], .keys [data-act], select')) button.toggleAttribute('disabled', busy);
    for (const name of ['bars', 'lane']) for (const button of this.shadowRoot.querySelectorAll(`[data-${name}]`)) button.setAttribute('aria-pressed', String(button.dataset[name] === String(this[name])));
    this.#drawMicrophone();
    this.#drawCount();
    this.#drawKeys();
  }

  #drawMicrophone() {
    const { state, words, devices, device, latency } = this.microphone;
    const ready = state === 'ready';
    this.find('.mic').classList.toggle('off', !ready);
    render(this.find('.mic .to'), ready ? html`${icons.check} To the audio lane` : html``);
    const options = devices.map(({ id, name }) => html`<option value="${id}" ${attributes({ selected: id === device })}>${name}</option>`);
    refresh(this.find('select'), html`${options}`);
    const late = this.#measuring || (latency.known ? `Latency ${Math.round(latency.seconds * 1000)} ms, taken off.` : 'The browser does not tell its latency: nothing is taken off.');
    const again = this.#measuring.endsWith('…') ? '' : html` <button class="text-button" data-act="measure" title="Clicks leave the speakers and are listened for">${latency.known ? 'Measure again' : 'Measure it'}</button>`;
    const foot = ready ? html`<span>${late}</span>${this.recorder.busy ? '' : again}` : html`${words}${state === 'refused' ? html` <button class="text-button" data-act="again">Try again</button>` : ''}`;
    const host = this.find('.mic .foot');
    refresh(host, foot);
    host.setAttribute('role', state === 'refused' ? 'alert' : 'note');
  }

  #drawCount() {
    const { bpm, beats_per_bar: beats } = desk.doc.grid;
    this.find('.count .grid').textContent = `${Math.round(bpm * 100) / 100} bpm, ${beats}/4`;
    const boxes = Array.from({ length: beats }, (_, i) => html`<b>${i + 1}</b>`);
    refresh(this.find('.beats'), html`${boxes}`);
  }

  #drawKeys() {
    const { state, inputs, words, pressed, last } = this.keyboard;
    const found = state === 'ready' && inputs.length > 0;
    this.find('.keys header b').textContent = found ? inputs.map(({ name }) => name || 'MIDI keyboard').join(', ') : 'MIDI keyboard';
    render(this.find('.keys .armed'), found && this.lane !== 'off' ? html`${icons.check} Armed` : html``);
    this.find('.keys [data-act]').hidden = found || !this.keyboard.possible;
    this.find('.keys .snaps').hidden = !found;
    const heard = last ? `${pitchName(last.pitch)}, velocity ${last.velocity}` : 'Play a key';
    this.find('.keys .says').textContent = found ? heard : words || (this.keyboard.possible ? 'Not connected yet.' : 'This browser gives pages no MIDI keyboard; Chromium does. Tap drums with ⇧T, then A S D F G.');
    const first = last ? Math.floor(Math.min(last.pitch, 108) / 12) * 12 - (last.pitch >= 72 ? 12 : 0) : 60;
    this.find('.piano').hidden = !found;
    refresh(this.find('.piano'), html`${Array.from({ length: 24 }, (_, i) => html`<i class="${BLACK.includes(i % 12) ? 'black' : ''}${pressed.has(first + i) ? ' on' : ''}"></i>`)}`);
  }

  /** What moves with every frame: the level, the beat that is counted, the time. */
  #move() {
    const { recorder, microphone } = this;
    const meter = this.find('.level');
    meter.firstElementChild.style.transform = `scaleX(${shareOf(microphone.level).toFixed(3)})`;
    meter.lastElementChild.style.left = `${(shareOf(microphone.peak) * 100).toFixed(1)}%`;
    meter.style.setProperty('--from', `${shareOf(GOOD[0]) * 100}%`);
    meter.style.setProperty('--to', `${(1 - shareOf(GOOD[1])) * 100}%`);
    const words = microphone.state === 'ready' ? levelWords(recorder.phase === 'recording' ? microphone.peak : microphone.level, recorder.clipped) : '';
    if (this.find('.mic .says').textContent !== words) {
      this.find('.mic .says').textContent = words;
      meter.setAttribute('aria-valuenow', String(Math.round(microphone.level)));
      meter.setAttribute('aria-valuetext', words);
    }
    const counted = recorder.counted;
    this.find('.beats').querySelectorAll('b').forEach((box, i) => box.classList.toggle('on', counted?.number === i + 1));
    const about = recorder.phase === 'recording' ? `${formatClock(recorder.time)}, undo takes it back` : counted ? `${counted.beat} of ${counted.of}` : `From ${formatClock(desk.timeline?.snapped(desk.player.position) ?? 0)}`;
    if (this.find('.about').textContent !== about) this.find('.about').textContent = about;
    if (recorder.busy) desk.timeline?.redraw();
  }

  /** Draws what is being recorded on the audio lane: ink, with a red foot; no engine made it. */
  paint(c, view, height, colour) {
    const { phase, start, time } = this.recorder;
    if (phase !== 'recording') return;
    const left = (start - view.start) * view.pps;
    const wide = Math.max(1, time * view.pps);
    c.fillStyle = colour('raised');
    c.fillRect(left, 0, wide, height);
    const columns = Math.max(1, Math.min(Math.round(wide / 2), 2000));
    c.fillStyle = colour('wave');
    this.recorder.peaks(0, time, columns).forEach(([low, high], i) => {
      const middle = height / 2;
      c.fillRect(left + (i * wide) / columns, middle - high * middle * 0.9, Math.max(1, wide / columns - 0.5), Math.max(1, (high - low) * middle * 0.9));
    });
    c.fillStyle = colour('head');
    c.fillRect(left, height - 3, wide, 3);
  }
}

customElements.define('inlay-record', Record);
