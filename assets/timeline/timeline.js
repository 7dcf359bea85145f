/**
 * <inlay-timeline>: tools, minimap, ruler, lanes, span and transport. Owns the view (zoom and scroll),
 * the tool and the snap mode; each lane is a module of its own that is told to draw. Everything else
 * lives in the desk.
 */

import { desk } from './desk.js';
import { drag } from './gestures.js';
import { icons, tag, text } from './icons.js';
import { showWhenStyled, styles } from './styled.js';
import { AudioLane } from './audio-lane.js';
import { ChordLane } from './chord-lane.js';
import { Palette } from './palette.js';
import { showHelp } from './help.js';
import { drawWave, prepare, tokens } from './wave.js';
import { loudest } from './peaks.js';
import {
  SNAPS, barBeat, barWords, beatsToSeconds, clamp, clampView, fitView, formatClock, formatLength, formatShort,
  formatSpan, round, snapStep, snapTime, spanFrom, ticks, timeToX, xToTime, zoomAt,
} from './time.js';

const STYLE = new URL('./timeline.css', import.meta.url).href;

const TEMPLATE = `
${styles(STYLE)}
<div class="tools" role="toolbar" aria-label="Timeline tools">
  <div class="left">
    <button class="ic" data-tool="select" title="Select (V)" aria-label="Select">${icons.select}</button>
    <button class="ic" data-tool="draw" title="Draw chords (D)" aria-label="Draw chords">${icons.draw}</button>
    <button class="ic" data-tool="erase" title="Erase chords (X)" aria-label="Erase chords">${icons.erase}</button>
    <span class="rule"></span>
    <label class="snap" title="What borders snap to; hold Alt while dragging for none">${icons.snap}<span>Snap:</span>
      <select aria-label="Snap">${SNAPS.map(({ id, name }) => `<option value="${id}">${name}</option>`).join('')}</select>
    </label>
  </div>
  <div class="summary" aria-live="off"></div>
  <div class="right">
    <button class="ic" data-action="zoom-out" title="Zoom out (−)" aria-label="Zoom out">${icons.minus}</button>
    <button class="ic" data-action="zoom-in" title="Zoom in (+)" aria-label="Zoom in">${icons.plus}</button>
    <button class="ic" data-action="fit" title="Fit the clip (⇧0)" aria-label="Fit the clip">${icons.fit}</button>
    <button class="ic" data-action="help" title="Keys (?)" aria-label="Keys">${icons.help}</button>
  </div>
</div>
<div class="board" role="application" aria-label="Timeline" tabindex="0">
  <div class="head minimap-head"></div>
  <div class="minimap"><canvas></canvas><div class="window"></div></div>
  <div class="head ruler-head">Bar, seconds</div>
  <div class="ruler"><canvas></canvas></div>
  <div class="head audio-head"></div>
  <div class="audio"></div>
  <div class="head chords-head"></div>
  <div class="chords"></div>
  <div class="over">
    <div class="span" hidden>
      <div class="flag" title="Drag to move the span"><b>1</b><span></span></div>
      <div class="grip start" role="slider" tabindex="0" aria-label="Span start"><i></i></div>
      <div class="grip end" role="slider" tabindex="0" aria-label="Span end"><i></i></div>
    </div>
    <div class="head-line"><i></i></div>
  </div>
</div>
<div class="transport">
  <button class="ic" data-action="rewind" title="Back to the start (Home)" aria-label="Back to the start">${icons.rewind}</button>
  <button class="play" data-action="play" title="Play or pause (Space)" aria-label="Play">${icons.play}</button>
  <button class="ic" data-action="loop" title="Loop the span (L)" aria-label="Loop the span" aria-pressed="false">${icons.loop}</button>
  <output class="time" aria-label="Time"></output><span class="bar"></span>
  <span class="rule"></span><span class="hearing"></span>
  <p class="notice" role="alert"></p>
</div>
`;

export class Timeline extends HTMLElement {
  view = null;
  tool = 'select';
  snap = sessionStorage.getItem('inlay-snap') ?? 'beat';
  #scope = null;
  #frame = 0;

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: 'open' }).innerHTML = TEMPLATE;
      showWhenStyled(this);
      this.board = this.find('.board');
      this.audio = new AudioLane(this, this.find('.audio'), this.find('.audio-head'));
      this.chords = new ChordLane(this, this.find('.chords'), this.find('.chords-head'));
      this.lanes = [this.audio, this.chords];
      this.palette = new Palette(this);
    }
    this.#scope = new AbortController();
    const options = { signal: this.#scope.signal };
    desk.timeline = this;
    desk.addEventListener('change', (event) => this.#changed(event.detail), options);
    new MutationObserver(() => this.redraw()).observe(document.body, { attributes: true, attributeFilter: ['class'] });
    const sized = new ResizeObserver(() => this.#resized());
    sized.observe(this.board);
    this.#scope.signal.addEventListener('abort', () => sized.disconnect());
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.find('.snap select').addEventListener('change', (event) => {
      this.snap = event.target.value;
      sessionStorage.setItem('inlay-snap', this.snap);
    }, options);
    this.board.addEventListener('wheel', (event) => this.#wheel(event), { ...options, passive: false });
    this.board.addEventListener('pointerdown', (event) => this.#press(event), options);
    this.board.addEventListener('dblclick', (event) => this.#double(event), options);
    for (const edge of ['start', 'end']) {
      this.find(`.grip.${edge}`).addEventListener('keydown', (event) => this.#gripKey(event, edge), options);
    }
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
    return this.find('.ruler').clientWidth || 1;
  }

  get duration() {
    return desk.duration;
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

  #length = 0;
  #resized() {
    if (this.#fitted || !this.view) this.fit();
    else this.setView(this.view);
  }

  // ---- what changes

  #changed({ what, message }) {
    if (what === 'doc' && this.duration !== this.#length) {
      this.#length = this.duration;
      this.fit();
    }
    if (what === 'view') {
      this.hidden = desk.view !== 'edit';
      this.palette.close();
    }
    if (message) this.say(message);
    else if (what === 'doc') this.say(desk.doc.error ?? '');
    this.redraw();
  }

  say(message) {
    // A sentence begins with a capital; a file's name stays as it is.
    const words = /^[a-z]+[ :]/.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
    this.find('.notice').innerHTML = words ? `${icons.warn}<span>${text(words)}</span>` : '';
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
    const colour = tokens(this);
    this.#drawMinimap(colour);
    this.#drawRuler(colour);
    for (const lane of this.lanes) lane.draw(colour);
    this.#drawSpan();
    this.#drawWords();
    this.#playhead();
  }

  #drawMinimap(colour) {
    const { c, width, height } = prepare(this.find('.minimap canvas'));
    const whole = fitView(this.duration, width);
    const region = desk.doc.region;
    const from = region ? timeToX(whole, region.start) : 0;
    const to = region ? timeToX(whole, region.end) : 0;
    if (region) {
      c.fillStyle = colour('span-mini');
      c.fillRect(from, 0, Math.max(to - from, 2), height);
    }
    const base = desk.pyramid('base');
    const gain = base ? 0.95 / Math.max(loudest(base), 0.1) : 1;
    const shape = { middle: height / 2, half: height / 2 - 2, gain };
    drawWave(c, base, whole, { ...shape, from: 0, to: width, colour: colour('wave'), alpha: 0.75 });
    const box = this.find('.window');
    const left = timeToX(whole, this.view.start);
    const wide = (this.width / this.view.pps) * whole.pps;
    box.style.transform = `translateX(${left}px)`;
    box.style.width = `${Math.min(wide, width)}px`;
    const bars = Math.max(1, Math.ceil((this.duration * desk.doc.grid.bpm) / 60 / desk.doc.grid.beats_per_bar - 0.01));
    this.find('.minimap-head').textContent = `${formatLength(this.duration)}, ${bars} bar${bars === 1 ? '' : 's'}`;
  }

  #drawRuler(colour) {
    const { c, width, height } = prepare(this.find('.ruler canvas'));
    c.textBaseline = 'middle';
    for (const tick of ticks(desk.doc.grid, this.view, width, this.duration)) {
      const x = Math.round(timeToX(this.view, tick.time)) + 0.5;
      const tall = tick.label ? height : tick.beat === 1 ? 12 : 6;
      c.strokeStyle = colour(tick.label ? 'line2' : 'line');
      c.beginPath();
      c.moveTo(x, height - tall);
      c.lineTo(x, height);
      c.stroke();
      if (!tick.label || x > width - 12) continue;
      c.font = `600 12px ${colour('font')}`;
      c.fillStyle = colour('text');
      const bar = String(tick.bar);
      c.fillText(bar, x + 5, height / 2);
      const used = c.measureText(bar).width;
      c.font = `400 11px ${colour('font')}`;
      c.fillStyle = colour('muted');
      c.fillText(formatShort(tick.time), x + 11 + used, height / 2 + 0.5);
    }
  }

  #drawSpan() {
    const span = this.find('.span');
    const region = this.draft ?? desk.doc.region;
    span.hidden = !region;
    if (!region) return;
    const left = timeToX(this.view, region.start);
    const width = (region.end - region.start) * this.view.pps;
    span.style.transform = `translateX(${left}px)`;
    span.style.width = `${width}px`;
    const flag = this.find('.flag');
    flag.style.setProperty('--lead', `${Math.max(0, -left)}px`);
    flag.classList.toggle('small', width < 120);
    flag.classList.toggle('tiny', width < 36);
    flag.lastElementChild.textContent = formatSpan(region);
    for (const edge of ['start', 'end']) {
      const grip = this.find(`.grip.${edge}`);
      const { bar, beat } = barBeat(desk.doc.grid, region[edge]);
      grip.setAttribute('aria-valuemin', '0');
      grip.setAttribute('aria-valuemax', this.duration.toFixed(2));
      grip.setAttribute('aria-valuenow', region[edge].toFixed(2));
      grip.setAttribute('aria-valuetext', `${region[edge].toFixed(2)} seconds, bar ${bar} beat ${beat}`);
    }
  }

  #drawWords() {
    const region = this.draft ?? desk.doc.region;
    const grid = desk.doc.grid;
    this.find('.summary').innerHTML = region
      ? `<i class="swatch"></i><b>Span</b> <span class="num">${formatSpan(region)}</span>
         <span class="soft num">${(region.end - region.start).toFixed(2)} s, bar ${barWords(grid, region.start)} to ${barWords(grid, region.end)}</span>`
      : desk.doc.clip ? '<span class="soft">Drag over the audio to choose what should change</span>' : '';
    const playing = desk.player.playing;
    const play = this.find('.play');
    play.innerHTML = playing ? icons.pause : icons.play;
    play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    play.disabled = !desk.player.tracks.size;
    const loop = this.find('[data-action=loop]');
    loop.setAttribute('aria-pressed', desk.looping);
    const track = desk.track;
    this.find('.hearing').innerHTML = track && track.kind === 'take'
      ? `<span class="soft">You hear</span> ${tag(track.engine)} <span class="num">seed ${track.seed}</span>`
      : desk.doc.clip ? `<span class="soft">You hear</span> ${track ? 'the original' : text(desk.doc.clip.label || 'the clip')}` : '';
  }

  #shownTime = -1;
  #playhead() {
    if (desk.view !== 'edit' || !this.view) return;
    const position = desk.player.position;
    if (desk.player.playing) this.#follow(position);
    const x = timeToX(this.view, position);
    const line = this.find('.head-line');
    line.hidden = x < -1 || x > this.width + 1;
    line.style.transform = `translateX(${x}px)`;
    if (Math.abs(position - this.#shownTime) < 0.005) return;
    this.#shownTime = position;
    this.find('.time').textContent = formatClock(position);
    this.find('.bar').textContent = `bar ${barWords(desk.doc.grid, position)}`;
  }

  /** Pages on when the playhead leaves the view. */
  #follow(position) {
    const seconds = this.width / this.view.pps;
    if (position >= this.view.start && position <= this.view.start + seconds) return;
    this.setView({ ...this.view, start: position - seconds * 0.05 });
  }

  // ---- gestures

  setTool(tool) {
    this.tool = tool;
    for (const button of this.shadowRoot.querySelectorAll('[data-tool]')) {
      button.setAttribute('aria-pressed', button.dataset.tool === tool);
    }
    this.board.dataset.tool = tool;
  }

  #click(event) {
    const button = event.target.closest?.('button');
    if (button?.dataset.tool) this.setTool(button.dataset.tool);
    if (button?.dataset.action) this.act(button.dataset.action);
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

  #press(event) {
    if (event.target.closest('button:not(.cell), input, select, .empty, .head')) return;
    if (event.target.closest('.minimap')) return this.#dragMinimap(event);
    if (event.target.closest('.flag')) return this.#dragFlag(event);
    const grip = event.target.closest('.grip');
    if (grip) return this.#dragGrip(event, grip.classList.contains('start') ? 'start' : 'end');
    if (event.target.closest('.chords')) return this.chords.press(event);
    if (event.target.closest('.ruler, .audio')) this.#dragSpan(event);
  }

  /** A span under way: shown, not sent. */
  #show(region) {
    this.draft = region;
    this.redraw();
  }

  #settle(region) {
    this.draft = null;
    const old = desk.doc.region;
    if (region && (region.start !== old?.start || region.end !== old?.end)) desk.setRegion(region);
    this.redraw();
  }

  #dragSpan(event) {
    const anchor = this.timeAt(event);
    const span = (now) => spanFrom(anchor, this.timeAt(now), this.mode(now), desk.doc.grid, desk.doc.frame_rate, this.duration);
    this.board.focus({ preventScroll: true });
    drag(event, this.board, {
      move: (now) => desk.doc.clip && this.#show(span(now)),
      end: (now) => desk.doc.clip && this.#settle(span(now)),
      click: () => {
        this.chords.choose(null);
        desk.player.seek(anchor);
      },
      cancel: () => this.#settle(null),
    });
  }

  #dragFlag(event) {
    const region = desk.doc.region;
    const from = this.timeAt(event);
    const length = region.end - region.start;
    const span = (now) => {
      const start = clamp(this.snapped(region.start + this.timeAt(now) - from, now), 0, Math.max(0, this.duration - length));
      return { start: round(start), end: round(Math.min(start + length, this.duration)) };
    };
    this.board.focus({ preventScroll: true });
    drag(event, this.board, {
      move: (now) => this.#show(span(now)), end: (now) => this.#settle(span(now)), cancel: () => this.#settle(null),
    });
  }

  #dragGrip(event, edge) {
    const region = desk.doc.region;
    const other = edge === 'start' ? region.end : region.start;
    const offset = region[edge] - this.timeAt(event);
    // Snap the moving edge only: the other one stays where it is, on the grid or not.
    const span = (now) => this.#withEdge(edge, this.snapped(this.timeAt(now) + offset, now), other);
    drag(event, this.board, {
      move: (now) => this.#show(span(now)), end: (now) => this.#settle(span(now)), cancel: () => this.#settle(null),
    });
  }

  #withEdge(edge, time, other) {
    const least = 2 / desk.doc.frame_rate;
    return edge === 'start'
      ? { start: round(clamp(time, 0, other - least)), end: other }
      : { start: other, end: round(clamp(time, other + least, this.duration)) };
  }

  #gripKey(event, edge) {
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!sign || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const region = desk.doc.region;
    const other = edge === 'start' ? region.end : region.start;
    this.#settle(this.#withEdge(edge, region[edge] + sign * this.step, other));
  }

  #dragMinimap(event) {
    const box = this.find('.minimap').getBoundingClientRect();
    const whole = fitView(this.duration, box.width);
    const seconds = this.width / this.view.pps;
    const at = xToTime(whole, event.clientX - box.left);
    const inside = at >= this.view.start && at <= this.view.start + seconds;
    const grip = inside ? at - this.view.start : seconds / 2;
    const go = (now) => this.setView({ ...this.view, start: xToTime(whole, now.clientX - box.left) - grip });
    drag(event, this.board, { move: go, click: go });
  }

  #double(event) {
    if (event.target.closest('.chords') || !event.target.closest('.audio, .ruler, .flag') || !desk.doc.clip) return;
    this.#setBar(barBeat(desk.doc.grid, this.timeAt(event)).bar);
  }

  #setBar(bar) {
    const grid = desk.doc.grid;
    const start = clamp(beatsToSeconds(grid, (bar - 1) * grid.beats_per_bar), 0, this.duration);
    const end = clamp(beatsToSeconds(grid, bar * grid.beats_per_bar), 0, this.duration);
    if (end - start > 0.08) this.#settle({ start: round(start), end: round(end) });
  }

  // ---- actions (keys and buttons)

  /** One step of the snap mode in seconds; a model frame when snapping is off. */
  get step() {
    return snapStep(this.snap, desk.doc.grid, desk.doc.frame_rate) || 1 / desk.doc.frame_rate;
  }

  #nudge(start, end) {
    if (this.chords.chosen && start === end) return this.chords.nudge(Math.sign(start));
    const region = desk.doc.region;
    if (!region) return undefined;
    const step = this.step;
    const next = { start: round(region.start + start * step), end: round(region.end + end * step) };
    if (next.start < -1e-6 || next.end > this.duration + 1e-6 || next.end - next.start < 2 / desk.doc.frame_rate) return undefined;
    return this.#settle({ start: Math.max(0, next.start), end: Math.min(next.end, this.duration) });
  }

  #neighbour(step) {
    const region = desk.doc.region;
    if (!desk.doc.clip) return;
    const bar = region ? barBeat(desk.doc.grid, region.start).bar + step : barBeat(desk.doc.grid, desk.player.position).bar;
    if (bar >= 1) this.#setBar(bar);
  }

  /** Does a named action; false when it is not this element's. */
  act(action) {
    const actions = {
      play: () => desk.togglePlay(),
      rewind: () => desk.player.seek(0),
      loop: () => desk.toggleLoop(),
      'nudge-left': () => this.#nudge(-1, -1),
      'nudge-right': () => this.#nudge(1, 1),
      shrink: () => this.#nudge(0, -1),
      grow: () => this.#nudge(0, 1),
      next: () => this.#neighbour(1),
      previous: () => this.#neighbour(-1),
      'tool-select': () => this.setTool('select'),
      'tool-draw': () => this.setTool('draw'),
      'tool-erase': () => this.setTool('erase'),
      'zoom-in': () => this.zoom(1.5),
      'zoom-out': () => this.zoom(1 / 1.5),
      fit: () => this.fit(),
      palette: () => this.chords.openPalette(),
      delete: () => this.chords.deleteChosen(),
      escape: () => this.#escape(),
      help: () => showHelp(),
    };
    if (!actions[action]) return false;
    actions[action]();
    return true;
  }

  #escape() {
    if (this.palette.isOpen) this.palette.close();
    else if (this.chords.chosen) this.chords.choose(null);
    else desk.setRegion(null);
  }
}

customElements.define('inlay-timeline', Timeline);
