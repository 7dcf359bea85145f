/**
 * <inlay-timeline>: tools, minimap, ruler, lanes, spans and transport. Owns the tool, the selection and the
 * clipboard; each part is a module of its own that is told to draw. What is in view is `viewport.js`'; everything
 * else lives in the desk.
 */

import { actionsOn } from './actions.js';
import { arrivalWords } from '../store/arrivals.js';
import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';
import { Scope } from '../parts/scope.js';
import { showWhenStyled } from '../parts/styled.js';
import { AudioLane } from '../lanes/audio-lane.js';
import { BandLane } from '../lanes/band-lane.js';
import { ChordLane } from '../lanes/chord-lane.js';
import { DrumLane } from '../lanes/drum-lane.js';
import { LaneMenu } from './lane-menu.js';
import { LaneSizes } from './lane-sizes.js';
import { MelodyLane } from '../lanes/melody-lane.js';
import { Minimap } from './minimap.js';
import { Palette } from './palette.js';
import { SectionRow } from '../sections/section-row.js';
import { SpanLayer } from './span-layer.js';
import { Touch } from './touch.js';
import { Transport } from './transport.js';
import { Viewport } from './viewport.js';
import { drawRuler } from './ruler.js';
import { chooseFile } from '../shell/upload.js';
import { TEMPLATE } from './timeline-template.js';
import { boxOf, tokens } from '../parts/wave.js';
import { barBeat, barWords, fitView, formatSpan, timeToX } from '../music/time.js';

const PHONE = matchMedia('(max-width: 700px)');
const STOP = html`<button class="text-button" data-action="withdraw">Cancel</button>`; // beside a file on its way

export class Timeline extends Viewport {
  tool = 'select';
  selection = { lane: null, ids: new Set() };
  popovers = new Set(); // all that belong here; one at a time is open
  clipboard = null; // {lane, items}, items beginning at beat 0
  #current = 'chords'; // the lane that was touched last
  #scope = null;
  #stays = false; // the sentence shown waits for a press or a key
  #move = () => {}; // lets the playhead go
  #colour = null; // the theme's colours, asked for once: asking makes the browser work out all styles

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    const scope = (this.#scope = new Scope());
    const options = { signal: scope.signal };
    desk.timeline = this;
    desk.addEventListener('change', (event) => this.#changed(event.detail), options);
    for (const kind of ['pointerdown', 'keydown']) {
      window.addEventListener(kind, () => this.#stays && this.say(''), { ...options, capture: true });
    }
    const theme = new MutationObserver(() => {
      this.#colour = null;
      this.redraw();
    });
    scope.observe(theme, document.body, { attributes: true, attributeFilter: ['class'] });
    scope.observe(new ResizeObserver(() => this.#resized()), this.board);
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.find('.snap select').addEventListener('change', (event) => this.setSnap(event.target.value), options);
    this.board.addEventListener('resized', () => {
      this.sizes.draw();
      this.redraw();
    }, options);
    this.board.addEventListener('wheel', (event) => this.wheel(event), { ...options, passive: false });
    this.board.addEventListener('pointerdown', (event) => this.#press(event), options);
    this.board.addEventListener('pointermove', (event) => this.#hover(event), options);
    // Words that happen to be selected would be dragged away by the browser, which ends the gesture.
    for (const kind of ['dragstart', 'selectstart']) {
      this.board.addEventListener(kind, (event) => event.target.closest?.('input, textarea') || event.preventDefault(), options);
    }
    this.board.addEventListener('dblclick', (event) => this.#double(event), options);
    this.board.addEventListener('focusin', (event) => {
      const lane = this.lanes.find(({ host }) => host.contains(event.target));
      if (!lane?.name) return;
      this.#current = lane.name;
      if (this.selection.lane && this.selection.lane !== lane.name) this.select(null, []); // keys mean the lane with the focus
    }, options);
    document.fonts?.ready.then(() => this.redraw());
    this.#move = scope.frames(() => {
      this.#playhead();
      return desk.view === 'edit' && desk.meter.moves;
    });
    this.find('.snap select').value = this.snap;
    this.setTool(this.tool);
    this.redraw();
  }

  #build() {
    render(this.attachShadow({ mode: 'open' }), TEMPLATE);
    showWhenStyled(this);
    const part = (name) => [this.find(`.${name}`), this.find(`.${name}-head`)];
    this.board = this.find('.board');
    this.ruler = this.find('.ruler');
    this.minimap = new Minimap(this, ...part('minimap'));
    this.audio = new AudioLane(this, ...part('audio'));
    this.band = new BandLane(this, ...part('band'));
    this.chords = new ChordLane(this, ...part('chords'));
    this.melody = new MelodyLane(this, ...part('melody'));
    this.drums = new DrumLane(this, ...part('drums'));
    this.written = [this.band, this.chords, this.melody, this.drums]; // lanes that one writes in
    this.lanes = [this.audio, ...this.written];
    this.sections = new SectionRow(this, ...part('sections'));
    this.spans = new SpanLayer(this, this.find('.spans'));
    this.transport = new Transport(this, this.find('.transport'));
    this.palette = new Palette(this);
    this.menu = new LaneMenu(this);
    this.touch = new Touch(this);
    this.sizes = new LaneSizes(this, this.lanes.filter((lane) => lane !== this.band).map(({ host }) => host), this.band);
  }

  disconnectedCallback() {
    this.#scope?.end();
    this.closePopovers();
    if (desk.timeline === this) desk.timeline = null;
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  // ---- geometry

  /** Where the active span lies, a gesture that goes on included. */
  get region() {
    return this.spans.active;
  }

  #length = 0;
  #resized() {
    this.sizes.apply();
    this.refit();
  }

  /** Whether the window has room for the folded band lane alone. */
  get folds() {
    return PHONE.matches;
  }

  // ---- what changes

  #changed({ what, message, count, bpm }) {
    if (what === 'doc' && this.duration !== this.#length) {
      this.#length = this.duration;
      this.fit();
    }
    if (what === 'view') {
      this.hidden = desk.view !== 'edit';
      this.closePopovers();
    }
    if (what === 'taps') this.say(bpm ? `Tapped ${bpm} bpm` : `Tap ${3 - count} more times`, true);
    else if (message) this.say(message);
    else if (what === 'doc' || what === 'arriving') this.#follow();
    this.redraw();
  }

  /** What the document or a file on its way has to say, else nothing under way any more. */
  #follow() {
    const words = desk.doc.error ?? arrivalWords(desk.arriving);
    if (!words && this.#stays) return;
    const comes = Boolean(desk.arriving?.step) && !desk.doc.error;
    this.say(words, comes, comes && !desk.arriving.kept ? STOP : html``);
    this.#stays = false;
  }

  /** Says what is under way: the next answer of the server takes it away. */
  sayUnderWay(message) {
    this.say(message, true);
    this.#stays = false;
  }

  /** Says what happened. It stays until the next press or key, however many answers come meanwhile. */
  say(message, plain = false, more = html``) {
    this.#stays = Boolean(message);
    // A sentence begins with a capital; a file's name stays as it is.
    const words = /^[a-z]+[ :]/.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
    const notice = this.find('.notice');
    notice.classList.toggle('plain', plain);
    const draw = plain ? refresh : render; // a button under the hand stays; the same fault once more is told once more
    draw(notice, words ? html`${plain ? '' : icons.warn}<span>${words}</span>${more}` : html``);
  }

  #pending = false;
  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      if (this.isConnected && desk.view === 'edit') this.#draw();
    });
  }

  #draw() {
    this.view ??= fitView(this.duration, this.width);
    const colour = (this.#colour ??= tokens(this));
    if (!colour('text')) this.#colour = null; // the page's styles are not there yet
    // Canvases first: to set a font on one makes the browser work out the styles that elements have changed.
    drawRuler(this.find('.ruler canvas'), this, colour);
    const cells = (lane) => lane === this.band || lane === this.chords;
    for (const lane of [...this.lanes.filter((other) => !cells(other)), ...this.lanes.filter(cells)]) if (boxOf(lane.host).height) lane.draw(colour);
    this.minimap.draw(colour);
    this.sections.draw();
    this.spans.draw();
    this.spans.leaveFree(this.shadowRoot.querySelectorAll('.hint.card:not([hidden]), .hint:not([hidden]) > span'));
    this.#drawWords();
    this.transport.draw();
    this.#playhead();
    this.#move();
  }

  #drawWords() {
    const { region } = this;
    const lane = this.selection.lane && this.lane(this.selection.lane);
    const chosen = lane?.chosen.length && lane.summary; // what was chosen may be gone by an undo
    const number = 1 + [...this.spans.spans].sort((a, b) => a.start - b.start).findIndex(({ id }) => id === region?.id);
    const words = chosen ? html`<span>${chosen}</span>`
      : region ? html`<i class="swatch"></i><b>Span ${number}</b> <span class="num">${formatSpan(region)}</span>
         <span class="soft num">${(region.end - region.start).toFixed(2)} s, bar ${barWords(desk.doc.grid, region.start)} to ${barWords(desk.doc.grid, region.end)}</span>`
        : desk.doc.clip ? html`<span class="soft">Drag over the audio to choose what should change</span>` : html``;
    refresh(this.find('.summary'), words);
    this.find('[data-action=follow]').setAttribute('aria-pressed', String(this.following));
    for (const button of this.shadowRoot.querySelectorAll('[data-mute]')) {
      const name = button.dataset.mute;
      const heard = !desk.synth.muted.has(name);
      const title = `${heard ? 'Heard' : 'Silent'} when the lanes play (P)`;
      if (button.title === title) continue;
      button.title = title;
      render(button, heard ? icons.sound : icons.mute);
      button.setAttribute('aria-pressed', String(heard));
      button.setAttribute('aria-label', `Hear the ${name} lane`);
    }
  }

  #playhead() {
    if (desk.view !== 'edit' || !this.view) return;
    const { playhead: position, player: { playing }, record } = desk;
    if (playing && this.following && position >= 0) this.follow(position); // an intro that is not kept lies before 0
    const x = timeToX(this.view, position);
    const line = this.find('.head-line');
    line.hidden = x < -1 || x > this.width + 1;
    line.style.transform = `translateX(${x}px)`;
    const counted = record?.recorder.counted ?? null; // it stands where recording will begin, and counts
    line.dataset.count = counted?.number || '';
    this.transport.tell(position, counted);
  }

  // ---- the selection

  lane(name) {
    return this[name];
  }

  /** The lane that keys mean: the one with something chosen, else the one touched last. */
  get currentLane() {
    return this.lane(this.selection.lane ?? this.#current);
  }

  select(lane, ids) {
    this.selection = { lane: ids.length ? lane : null, ids: new Set(ids) };
    if (lane) this.#current = lane;
    this.redraw();
  }

  closePopovers() {
    for (const popover of this.popovers) popover.close(false);
  }

  // ---- gestures

  setTool(tool) {
    this.tool = tool;
    for (const button of this.shadowRoot.querySelectorAll('[data-tool]')) {
      button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
    }
    this.board.dataset.tool = tool;
    this.redraw();
  }

  #click(event) {
    const button = event.target.closest?.('button');
    if (!button || button.closest('.popover')) return;
    const { tool, action, menu = button.dataset.of, midi, mute, tab } = button.dataset;
    if (tool) this.setTool(tool);
    if (action) this.act(action);
    if (menu) this.menu.open(menu, button);
    if (midi) this.openMidi(midi);
    if (mute) this.toggleLane(mute);
    if (tab) this.#showTab(tab);
  }

  /** Whether the synth plays a lane. */
  toggleLane(name) {
    if (!desk.synth.muted.delete(name)) desk.synth.muted.add(name);
    desk.synth.silence();
    this.redraw();
  }

  #showTab(name) {
    this.board.dataset.tab = name;
    for (const tab of this.shadowRoot.querySelectorAll('[role=tab]')) tab.setAttribute('aria-selected', String(tab.dataset.tab === name));
    this.redraw();
  }

  #press(event) {
    const touch = event.pointerType === 'touch';
    const target = touch ? this.shadowRoot.elementFromPoint(event.clientX, event.clientY) ?? event.target : event.target;
    if (target.closest('button:not(.cell), input, select, .empty, .head')) return undefined;
    if (touch && this.touch.pinch(event)) return undefined;
    if (target.closest('.minimap')) return this.minimap.press(event);
    if (target.closest('.flag, .grip') && this.spans.pressOn(event, target)) return undefined;
    const lane = this.#laneOf(target);
    if (lane) {
      this.closePopovers();
      this.#current = lane.name;
      if (touch) this.touch.hold(event, lane, target);
      return lane.press(event, target);
    }
    return target.closest('.ruler, .audio') ? this.spans.press(event) : undefined;
  }

  #laneOf(target) {
    return this.written.find(({ host }) => host.contains(target));
  }

  #hover(event) {
    if (event.buttons || event.target.closest('.cell, .head')) return;
    this.#laneOf(event.target)?.hover(event);
  }

  #double(event) {
    if (!event.target.closest('.audio, .ruler, .flag') || !desk.doc.clip) return;
    this.spans.setBar(barBeat(desk.doc.grid, this.timeAt(event)).bar);
  }

  // ---- MIDI

  openMidi(lane) {
    chooseFile(lane);
  }

  async saveMidi(lane) {
    const { grid, clip } = desk.doc;
    const answer = await desk.midiOf({ ...grid, [lane]: desk.doc[lane] });
    if (answer.error) return this.say(answer.error);
    const link = document.createElement('a');
    link.href = `data:audio/midi;base64,${answer.file}`;
    link.download = `${(clip?.label || 'Inlay').replace(/\.[a-z0-9]{2,4}$/i, '')} ${lane}.mid`;
    return link.click();
  }

  // ---- actions (keys and buttons)

  /** Does a named action; false when it is not this element's, or there is nothing to do it on. */
  act(action) {
    const actions = actionsOn(this, this.currentLane);
    if (!actions[action]) return false;
    const done = actions[action]() !== false;
    this.redraw();
    return done;
  }

  /** Closes what is open, then gives up the selection, then the span. */
  escape() {
    if ([...this.popovers].some(({ isOpen }) => isOpen)) this.closePopovers();
    else if (this.drums.tapping) this.drums.setTapping(false);
    else if (this.selection.lane) this.select(null, []);
    else desk.setRegion(null);
  }
}

customElements.define('inlay-timeline', Timeline);
