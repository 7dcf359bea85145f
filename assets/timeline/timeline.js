/**
 * <inlay-timeline>: tools, minimap, ruler, lanes, spans and transport. Owns the view (zoom and scroll), the
 * tool, the snap mode, the selection and the clipboard; each part is a module of its own that is told to
 * draw. Everything else lives in the desk.
 */

import { desk } from './desk.js';
import { icons, text } from './icons.js';
import { showWhenStyled, styles } from './styled.js';
import { AudioLane } from './audio-lane.js';
import { ChordLane } from './chord-lane.js';
import { DrumLane } from './drum-lane.js';
import { LaneMenu } from './lane-menu.js';
import { LaneSizes } from './lane-sizes.js';
import { MelodyLane } from './melody-lane.js';
import { Minimap } from './minimap.js';
import { Palette } from './palette.js';
import { SpanLayer } from './span-layer.js';
import { Transport, TRANSPORT } from './transport.js';
import { drawRuler } from './ruler.js';
import { showHelp } from './help.js';
import { chooseFile } from './upload.js';
import { boxOf, tokens } from './wave.js';
import { SNAPS, barBeat, barWords, clamp, clampView, fitView, formatSpan, round, snapStep, snapTime, timeToX, xToTime, zoomAt } from './time.js';

const STYLE = new URL('./timeline.css', import.meta.url).href;
const CALM = matchMedia('(prefers-reduced-motion: reduce)');
const TOOLS = [['select', 'Select', 'V'], ['draw', 'Draw chords, notes and hits', 'D'], ['split', 'Split chords and notes', 'S'], ['erase', 'Erase', 'X']];
const VIEW = [['zoom-out', 'minus', 'Zoom out', '−'], ['zoom-in', 'plus', 'Zoom in', '+'], ['fit', 'fit', 'Fit the clip', '⇧0'], ['follow', 'follow', 'Follow the playhead', 'F'], ['help', 'help', 'Keys', '?']];
const icon = (attribute, value, name, words, key) =>
  `<button class="ic" ${attribute}="${value}" title="${words} (${key})" aria-label="${words}">${icons[name]}</button>`;

const TEMPLATE = `
${styles(STYLE)}
<div class="tools" role="toolbar" aria-label="Timeline tools">
  <div class="left">
    ${TOOLS.map(([tool, words, key]) => icon('data-tool', tool, tool, words, key)).join('')}
    <span class="rule"></span>
    <label class="snap" title="What edges snap to; hold Alt while dragging for none">${icons.snap}<span>Snap:</span>
      <select aria-label="Snap">${SNAPS.map(({ id, name }) => `<option value="${id}">${name}</option>`).join('')}</select>
    </label>
  </div>
  <div class="summary"></div>
  <div class="right">${VIEW.map(([action, name, words, key]) => icon('data-action', action, name, words, key)).join('')}</div>
</div>
<div class="board" role="group" aria-label="Timeline" tabindex="0" data-tab="melody">
  <div class="head minimap-head"></div>
  <div class="minimap"></div>
  <div class="head ruler-head"><button class="text-button" data-menu="grid" title="Signature, key, where beat 1 lies (B), tempo (T)" aria-haspopup="dialog">Bar<span>, seconds</span></button></div>
  <div class="ruler"><canvas></canvas></div>
  <div class="head audio-head"></div>
  <div class="audio"></div>
  <div class="head chords-head"></div>
  <div class="chords"></div>
  <div class="tabs" role="tablist" aria-label="Lane">
    <button role="tab" data-tab="melody" aria-selected="true">Melody</button><button role="tab" data-tab="drums" aria-selected="false">Drums</button></div>
  <div class="tab-menus">${['melody', 'drums'].map((lane) => `<button class="ic" data-of="${lane}" title="${lane === 'melody' ? 'Transpose, quantise, MIDI' : 'Patterns, swing, tapping, MIDI'}" aria-label="${lane === 'melody' ? 'Melody' : 'Drum'} lane menu" aria-haspopup="dialog">${icons.more}</button>`).join('')}</div>
  <div class="head melody-head"></div>
  <div class="melody"></div>
  <div class="head drums-head"></div>
  <div class="drums"></div>
  <div class="over"><div class="spans"></div><div class="head-line"><i></i></div></div>
</div>
${TRANSPORT}
`;

export class Timeline extends HTMLElement {
  view = null;
  tool = 'select';
  snap = sessionStorage.getItem('inlay-snap') ?? 'beat';
  following = true;
  selection = { lane: null, ids: new Set() };
  clipboard = null; // {lane, items}, items beginning at beat 0
  #current = 'chords'; // the lane that was touched last
  #scope = null;
  #frame = 0;
  #ruler = null;
  #colour = null; // the theme's colours, asked for once: asking makes the browser work out all styles

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    this.#scope = new AbortController();
    const options = { signal: this.#scope.signal };
    desk.timeline = this;
    desk.addEventListener('change', (event) => this.#changed(event.detail), options);
    const theme = new MutationObserver(() => {
      this.#colour = null;
      this.redraw();
    });
    theme.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    const sized = new ResizeObserver(() => this.#resized());
    sized.observe(this.board);
    options.signal.addEventListener('abort', () => {
      sized.disconnect();
      theme.disconnect();
    });
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.find('.snap select').addEventListener('change', (event) => {
      this.snap = event.target.value;
      sessionStorage.setItem('inlay-snap', this.snap);
    }, options);
    this.board.addEventListener('resized', () => {
      this.sizes.draw();
      this.redraw();
    }, options);
    this.board.addEventListener('wheel', (event) => this.#wheel(event), { ...options, passive: false });
    this.board.addEventListener('pointerdown', (event) => this.#press(event), options);
    this.board.addEventListener('pointermove', (event) => this.#hover(event), options);
    this.board.addEventListener('dblclick', (event) => this.#double(event), options);
    this.board.addEventListener('focusin', (event) => {
      const lane = this.lanes.find(({ host }) => host.contains(event.target));
      if (!lane?.name) return;
      this.#current = lane.name;
      if (this.selection.lane && this.selection.lane !== lane.name) this.select(null, []); // keys mean the lane with the focus
    }, options);
    document.fonts?.ready.then(() => this.redraw());
    const tick = () => {
      this.#frame = requestAnimationFrame(tick);
      this.#playhead();
    };
    tick();
    this.find('.snap select').value = this.snap;
    this.setTool(this.tool);
    this.redraw();
  }

  #build() {
    this.attachShadow({ mode: 'open' }).innerHTML = TEMPLATE;
    showWhenStyled(this);
    const part = (name) => [this.find(`.${name}`), this.find(`.${name}-head`)];
    this.board = this.find('.board');
    this.#ruler = this.find('.ruler');
    this.minimap = new Minimap(this, ...part('minimap'));
    this.audio = new AudioLane(this, ...part('audio'));
    this.chords = new ChordLane(this, ...part('chords'));
    this.melody = new MelodyLane(this, ...part('melody'));
    this.drums = new DrumLane(this, ...part('drums'));
    this.lanes = [this.audio, this.chords, this.melody, this.drums];
    this.spans = new SpanLayer(this, this.find('.spans'));
    this.transport = new Transport(this, this.find('.transport'));
    this.palette = new Palette(this);
    this.menu = new LaneMenu(this);
    this.sizes = new LaneSizes(this, this.lanes.map(({ host }) => host));
  }

  disconnectedCallback() {
    this.#scope?.abort();
    cancelAnimationFrame(this.#frame);
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  // ---- geometry

  /** Width of the lanes in CSS pixels. */
  get width() {
    return boxOf(this.#ruler).width || 1;
  }

  get duration() {
    return desk.duration;
  }

  /** Where the active span lies, a gesture that goes on included. */
  get region() {
    return this.spans.active;
  }

  timeAt(event) {
    const box = this.find('.ruler').getBoundingClientRect();
    return clamp(xToTime(this.view, event.clientX - box.left), 0, this.duration);
  }

  snapped(seconds, event) {
    return event?.altKey ? round(clamp(seconds, 0, this.duration))
      : snapTime(seconds, this.snap, desk.doc.grid, desk.doc.frame_rate, this.duration);
  }

  mode(event) {
    return event?.altKey ? 'off' : this.snap;
  }

  /** One step of the snap mode in seconds; a model frame when snapping is off. */
  get step() {
    return snapStep(this.snap, desk.doc.grid, desk.doc.frame_rate) || 1 / desk.doc.frame_rate;
  }

  setView(view) {
    this.view = clampView(view, this.duration, this.width);
    this.redraw();
  }

  #fitted = true; // the whole clip is in view, and stays so when the window changes
  fit() {
    this.#fitted = true;
    this.setView(fitView(this.duration, this.width));
  }

  zoom(factor, x = this.width / 2) {
    this.#fitted = false;
    this.view = zoomAt(this.view, factor, x, this.duration, this.width);
    this.redraw();
  }

  /** Scrolls so that a time is in sight. */
  reveal(seconds) {
    const shown = this.width / this.view.pps;
    if (seconds < this.view.start || seconds > this.view.start + shown * 0.98) this.setView({ ...this.view, start: seconds - shown * 0.3 });
  }

  #length = 0;
  #resized() {
    this.sizes.apply();
    if (this.#fitted || !this.view) this.fit();
    else this.setView(this.view);
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
    else if (what === 'doc') this.say(desk.doc.error ?? '');
    this.redraw();
  }

  say(message, plain = false) {
    // A sentence begins with a capital; a file's name stays as it is.
    const words = /^[a-z]+[ :]/.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
    const notice = this.find('.notice');
    notice.classList.toggle('plain', plain);
    notice.innerHTML = words ? `${plain ? '' : icons.warn}<span>${text(words)}</span>` : '';
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
    for (const lane of [this.audio, this.melody, this.drums, this.chords]) if (boxOf(lane.host).height) lane.draw(colour);
    this.minimap.draw(colour);
    this.spans.draw();
    this.#drawWords();
    this.transport.draw();
    this.#playhead();
  }

  #drawWords() {
    const { region } = this;
    const lane = this.selection.lane && this.lane(this.selection.lane);
    const chosen = lane?.summary && lane.chosen.length;
    const number = 1 + [...this.spans.spans].sort((a, b) => a.start - b.start).findIndex(({ id }) => id === region?.id);
    const words = chosen ? `<span>${text(lane.summary)}</span>`
      : region ? `<i class="swatch"></i><b>Span ${number}</b> <span class="num">${formatSpan(region)}</span>
         <span class="soft num">${(region.end - region.start).toFixed(2)} s, bar ${barWords(desk.doc.grid, region.start)} to ${barWords(desk.doc.grid, region.end)}</span>`
        : desk.doc.clip ? '<span class="soft">Drag over the audio to choose what should change</span>' : '';
    const summary = this.find('.summary');
    if (summary.dataset.words !== words) summary.innerHTML = summary.dataset.words = words;
    this.find('[data-action=follow]').setAttribute('aria-pressed', this.following);
    for (const button of this.shadowRoot.querySelectorAll('[data-mute]')) {
      const name = button.dataset.mute;
      const heard = !desk.synth.muted.has(name);
      const title = `${heard ? 'Heard' : 'Silent'} when the lanes play (P)`;
      if (button.title === title) continue;
      Object.assign(button, { title, innerHTML: heard ? icons.sound : icons.mute });
      button.setAttribute('aria-pressed', heard);
      button.setAttribute('aria-label', `Hear the ${name} lane`);
    }
  }

  #playhead() {
    if (desk.view !== 'edit' || !this.view) return;
    const { position, playing } = desk.player;
    if (playing && this.following) this.#follow(position);
    const x = timeToX(this.view, position);
    const line = this.find('.head-line');
    line.hidden = x < -1 || x > this.width + 1;
    line.style.transform = `translateX(${x}px)`;
    this.transport.tell(position);
  }

  /** Scrolls with the playhead once it has passed the middle; page by page where motion is not wanted. */
  #follow(position) {
    const seconds = this.width / this.view.pps;
    if (seconds >= this.duration - 1e-6) return;
    const outside = position < this.view.start || position > this.view.start + seconds;
    if (outside) this.setView({ ...this.view, start: position - seconds * 0.05 });
    else if (!CALM.matches && position > this.view.start + seconds * 0.6 && this.view.start + seconds < this.duration - 1e-6) {
      this.setView({ ...this.view, start: position - seconds * 0.6 });
    }
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
    this.palette.close(false);
    this.menu.close(false);
  }

  // ---- gestures

  setTool(tool) {
    this.tool = tool;
    for (const button of this.shadowRoot.querySelectorAll('[data-tool]')) {
      button.setAttribute('aria-pressed', button.dataset.tool === tool);
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
    for (const tab of this.shadowRoot.querySelectorAll('[role=tab]')) tab.setAttribute('aria-selected', tab.dataset.tab === name);
    this.redraw();
  }

  #wheel(event) {
    event.preventDefault();
    const box = this.find('.ruler').getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY * 0.0025), event.clientX - box.left);
    else {
      const pixels = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
      this.setView({ ...this.view, start: this.view.start + pixels / this.view.pps });
    }
  }

  #touches = new Map(); // touch points that are down: two of them zoom
  #press(event) {
    const touch = event.pointerType === 'touch';
    const target = touch ? this.shadowRoot.elementFromPoint(event.clientX, event.clientY) ?? event.target : event.target;
    if (target.closest('button:not(.cell), input, select, .empty, .head')) return undefined;
    if (touch && this.#pinch(event)) return undefined;
    if (target.closest('.minimap')) return this.minimap.press(event);
    if (target.closest('.flag, .grip') && this.spans.pressOn(event, target)) return undefined;
    const lane = this.#laneOf(target);
    if (lane) {
      this.closePopovers();
      this.#current = lane.name;
      if (touch) this.#hold(event, lane, target);
      return lane.press(event, target);
    }
    return target.closest('.ruler, .audio') ? this.spans.press(event) : undefined;
  }

  #laneOf(target) {
    return [this.chords, this.melody, this.drums].find(({ host }) => host.contains(target));
  }

  /** A long press on touch is what the right button is on a mouse. */
  #hold(event, lane, target) {
    const scope = new AbortController();
    const id = target.closest('.cell')?.dataset.id;
    const timer = setTimeout(() => {
      scope.abort();
      window.dispatchEvent(new PointerEvent('pointercancel', { pointerId: event.pointerId }));
      this.#ignoreRelease();
      if (id) lane.openPalette(id);
      else this.menu.open(lane.name, lane.host);
    }, 500);
    const stop = (now) => {
      if (now.type === 'pointermove' && Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) < 8) return;
      clearTimeout(timer);
      scope.abort();
    };
    for (const kind of ['pointermove', 'pointerup', 'pointercancel']) window.addEventListener(kind, stop, { signal: scope.signal });
  }

  /** The finger that opened a dialog by holding is lifted over it: that is no press on what lies there. */
  #ignoreRelease() {
    const scope = new AbortController();
    const swallow = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    window.addEventListener('click', swallow, { signal: scope.signal, capture: true });
    window.addEventListener('pointerdown', () => scope.abort(), { signal: scope.signal, capture: true }); // a new press is meant
  }

  /** Two fingers: the view follows both. True once the second is down. */
  #pinch(event) {
    this.#touches.set(event.pointerId, event.clientX);
    const forget = (now) => this.#touches.delete(now.pointerId);
    for (const kind of ['pointerup', 'pointercancel']) window.addEventListener(kind, forget, { once: true });
    if (this.#touches.size < 2) return false;
    window.dispatchEvent(new PointerEvent('pointercancel', { pointerId: -1 })); // ends the first finger's gesture
    const box = this.find('.ruler').getBoundingClientRect();
    const places = () => [...this.#touches.values()].sort((a, b) => a - b);
    let [left, right] = places();
    const scope = new AbortController();
    window.addEventListener('pointermove', (now) => {
      if (this.#touches.size < 2) return scope.abort();
      if (!this.#touches.has(now.pointerId)) return undefined;
      this.#touches.set(now.pointerId, now.clientX);
      const [a, b] = places();
      const anchor = xToTime(this.view, (left + right) / 2 - box.left);
      this.zoom(Math.max(b - a, 10) / Math.max(right - left, 10), (left + right) / 2 - box.left);
      this.setView({ ...this.view, start: anchor - ((a + b) / 2 - box.left) / this.view.pps });
      [left, right] = [a, b];
      return undefined;
    }, { signal: scope.signal });
    return true;
  }

  #hover(event) {
    if (event.buttons || event.target.closest('.cell, .head')) return;
    this.#laneOf(event.target)?.hover?.(event);
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
    const lane = this.currentLane;
    const actions = {
      play: () => desk.togglePlay(),
      rewind: () => desk.player.seek(0),
      loop: () => desk.toggleLoop(),
      follow: () => { this.following = !this.following; },
      preview: () => this.transport.togglePreview(),
      click: () => this.transport.toggleClick(),
      mix: () => this.transport.toggleMix(),
      'nudge-left': () => (this.selection.lane ? lane.nudge(-1) : this.spans.nudge(-1, -1)),
      'nudge-right': () => (this.selection.lane ? lane.nudge(1) : this.spans.nudge(1, 1)),
      shrink: () => (this.selection.lane && lane.stretch(-1)) || this.spans.nudge(0, -1),
      grow: () => (this.selection.lane && lane.stretch(1)) || this.spans.nudge(0, 1),
      up: () => lane.transpose(1),
      down: () => lane.transpose(-1),
      'octave-up': () => this.selection.lane === 'melody' && lane.transpose(12),
      'octave-down': () => this.selection.lane === 'melody' && lane.transpose(-12),
      'scroll-up': () => this.melody.scroll(12),
      'scroll-down': () => this.melody.scroll(-12),
      next: () => this.spans.next(1),
      previous: () => this.spans.next(-1),
      'add-span': () => this.spans.add(),
      'tool-select': () => this.setTool('select'),
      'tool-draw': () => this.setTool('draw'),
      'tool-split': () => this.setTool('split'),
      'tool-erase': () => this.setTool('erase'),
      'step-back': () => lane.step(-1),
      'step-on': () => lane.step(1),
      insert: () => lane.insert(),
      split: () => lane.split?.() ?? false,
      merge: () => lane.merge?.() ?? false,
      quantise: () => lane.quantise(),
      copy: () => lane.copy(),
      paste: () => (this.clipboard ? this.lane(this.clipboard.lane).paste(this.clipboard.items) : false),
      repeat: () => lane.repeat(),
      'choose-all': () => lane.chooseAll(),
      palette: () => this.chords.openPalette(),
      delete: () => lane.remove(),
      tap: () => desk.tapTempo(),
      'beat-one': () => desk.setGrid({ offset: round(desk.player.position) }),
      'tap-drums': () => this.drums.setTapping(!this.drums.tapping),
      'zoom-in': () => this.zoom(1.5),
      'zoom-out': () => this.zoom(1 / 1.5),
      fit: () => this.fit(),
      escape: () => this.#escape(),
      help: () => showHelp(),
    };
    if (!actions[action]) return false;
    const done = actions[action]() !== false;
    this.redraw();
    return done;
  }

  #escape() {
    if (this.palette.isOpen || this.menu.isOpen) this.closePopovers();
    else if (this.drums.tapping) this.drums.setTapping(false);
    else if (this.selection.lane) this.select(null, []);
    else desk.setRegion(null);
  }
}

customElements.define('inlay-timeline', Timeline);
