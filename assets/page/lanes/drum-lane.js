/**
 * The drum lane: a step grid of sixteenths, a row for each drum, and under them what the models are told,
 * latent frame by frame. A press toggles a step and a drag paints or clears along the row; Alt paints off
 * the grid; Shift-drag chooses; Erase clears. In tapping, the keys A S D F G play hits in at the playhead.
 */

import { desk } from '../store/desk.js';
import { drag } from '../parts/gestures.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { newId, put, shifted, tidy, within, without } from '../music/cells.js';
import { DRUMS, STEP, frames, hitAt } from '../music/drums.js';
import { CanvasLane } from './canvas-lane.js';
import { announceItem } from './lane-grid.js';
import { barBeat, beatsToSeconds, clamp, heard, secondsToBeats } from '../music/time.js';
import { boxOf, hatch, prepare } from '../parts/wave.js';

const TAPS = { a: 'kick', s: 'snare', d: 'hat', f: 'tom', g: 'cymbal' };

export class DrumLane extends CanvasLane {
  edits = { erase: 'erase_hits', move: 'move_hits' };
  tapping = false;
  lastDrum = 'kick';
  #told = { sign: [], bits: null }; // what the models are told, and of what it was counted

  constructor(timeline, host, head) {
    super(timeline, 'drums', 'h', host, head);
    render(head, html`<ul>${DRUMS.map((drum) => html`<li>${drum[0].toUpperCase()}${drum.slice(1)}</li>`)}<li class="heard" title="The drums as the models are told of them: a box for each of their frames, lighter with more drums in it">Model hears</li></ul>
      <div class="foot"><button class="ic" data-mute="drums" aria-pressed="true"></button>
      <button class="ic" data-midi="drums" title="Open a MIDI file" aria-label="Open a MIDI file for the drums">${icons.midi}</button>
      <button class="ic" data-menu="drums" title="Patterns, swing, tapping, MIDI" aria-label="Drum lane menu" aria-haspopup="dialog">${icons.more}</button></div>`);
    render(host, html`<canvas></canvas><div class="hint" role="row"><span role="gridcell">No drums yet. Click the steps, or choose a pattern from <b>⋯</b>.</span></div>`);
    this.canvas = host.querySelector('canvas');
    this.hint = host.querySelector('.hint');
  }

  // ---- rows

  get strip() {
    return 20; // pixels of the row that shows what the models hear
  }

  get row() {
    const room = boxOf(this.host).height - this.strip;
    return room < 16 ? 0 : Math.max(4, room / DRUMS.length); // 0 where a low window has room for the strip alone
  }

  drumAt(event) {
    const y = event.clientY - this.host.getBoundingClientRect().top;
    return y < DRUMS.length * this.row ? DRUMS[clamp(Math.floor(y / this.row), 0, DRUMS.length - 1)] : null;
  }

  stepAt(event) {
    return event.altKey ? this.rawBeat(event) : Math.floor(this.rawBeat(event) / STEP + 1e-6) * STEP;
  }

  // ---- drawing

  draw(colour) {
    const { c, width, height } = prepare(this.canvas, boxOf(this.canvas));
    const { view, duration } = this.timeline;
    const { grid } = desk.doc;
    const hits = this.items;
    const end = Math.min(width, (duration - view.start) * view.pps);
    c.fillStyle = colour('row');
    c.fillRect(0, 0, width, height);
    const beatPx = this.x(1) - this.x(0);
    const from = secondsToBeats(grid, view.start);
    c.fillStyle = colour('row-key');
    for (let beat = Math.floor(from); this.x(beat) < end; beat++) {
      if (((beat % 2) + 2) % 2 === 0 && beatPx > 6) c.fillRect(this.x(beat), 0, Math.min(beatPx, end - this.x(beat)), height - this.strip);
    }
    this.drawBeats(c, colour, { width, tall: height - this.strip, bars: beatPx < 24 });
    c.fillStyle = colour('line');
    for (let row = 1; row <= DRUMS.length; row++) c.fillRect(0, Math.round(row * this.row), end, 1);
    this.drawSpan(c, colour, height - this.strip);
    this.#drawHits(c, colour, hits, width, beatPx);
    this.#drawTold(c, colour, end, height);
    this.drawMarquee(c, colour);
    this.hint.hidden = hits.length > 0;
    this.host.classList.toggle('tapping', this.tapping);
    this.#name();
  }

  #drawHits(c, colour, hits, width, beatPx) {
    const { region } = this.timeline;
    const { grid } = desk.doc;
    const wide = clamp(beatPx * STEP - 2, 2.5, 7);
    const { row } = this;
    const zero = this.x(0);
    const boxes = [];
    for (const { id, time, drum } of row ? hits : []) {
      const x = zero + time * beatPx + 1;
      if (x < -wide || x > width) continue;
      const at = beatsToSeconds(grid, time);
      const inside = Boolean(region && at >= region.start - 1e-6 && at < region.end - 1e-6);
      boxes.push({ id, x, y: DRUMS.indexOf(drum) * row + 3.5, wide, tall: Math.max(2, row - 6.5), inside });
    }
    this.drawBoxes(c, colour, boxes);
  }

  /** What the models hear of the drums: {start, rate, bits} with the drums of each latent frame; null = nothing. */
  get told() {
    const { region, duration } = this.timeline;
    const { grid, frame_rate: rate, window, follow } = desk.doc;
    const hits = this.items;
    if (!follow.includes('drums') || !hits.length) return null;
    const { start, frames: count } = region ? heard(region, duration, window, rate) : { start: 0, frames: Math.ceil(duration * rate - 1e-6) };
    const sign = [hits, grid, rate, start, count];
    if (sign.some((part, i) => part !== this.#told.sign[i])) this.#told = { sign, bits: frames(hits, grid, rate, start, count) };
    return { start, rate, bits: this.#told.bits };
  }

  /** One box a latent frame that the models hear, the lighter the more drums they are told of in it. */
  #drawTold(c, colour, end, height) {
    const { view } = this.timeline;
    const top = height - this.strip + 1;
    const { told } = this;
    c.fillStyle = colour('lane');
    c.fillRect(0, top, end, this.strip);
    if (!told) {
      if (!desk.doc.drums.length) return;
      c.font = `400 11px ${colour('font')}`;
      c.fillStyle = colour('muted');
      c.textBaseline = 'middle';
      c.fillText('Nothing: drums are not among the lanes to follow', 8, top + this.strip / 2);
      return;
    }
    const { start, rate, bits } = told;
    const wide = view.pps / rate;
    const left = (start - view.start) * view.pps;
    const last = Math.min(end, left + bits.length * wide);
    hatch(c, 0, top, Math.min(left, end), this.strip, colour('line'));
    hatch(c, Math.max(0, last), top, end - Math.max(0, last), this.strip, colour('line'));
    let drawn = -1; // where frames are narrower than a pixel, one stands for all of its pixel
    for (let frame = Math.max(0, Math.floor(-left / wide)); frame < bits.length; frame++) {
      const x = left + frame * wide;
      if (x > end) break;
      let drums = 0;
      for (let rest = bits[frame]; rest; rest &= rest - 1) drums += 1;
      if (drums ? wide < 1 && Math.floor(x) === drawn : wide < 3) continue;
      if (drums) drawn = Math.floor(x);
      c.globalAlpha = [1, 0.5, 0.75, 1][Math.min(3, drums)];
      c.fillStyle = colour(drums ? 'note' : 'row-key');
      c.fillRect(wide < 1 ? Math.floor(x) : x, top + 2, Math.max(1, wide - 0.75), this.strip - 6);
    }
    c.globalAlpha = 1;
  }

  #name() {
    const { items, chosen } = this;
    const hit = chosen[0];
    announceItem(this.host, {
      label: `Drums, ${items.length} hits`,
      rows: DRUMS.length,
      columns: items.length,
      row: hit ? DRUMS.indexOf(hit.drum) + 1 : 0,
      column: hit ? items.indexOf(hit) + 1 : 0,
      words: hit ? this.#wordsOf(hit) : '',
      chosen: chosen.length,
    });
  }

  #wordsOf({ time, drum }) {
    const { grid } = desk.doc;
    const { bar, beat } = barBeat(grid, beatsToSeconds(grid, time));
    const rest = Number((time - Math.floor(time + 1e-6)).toFixed(2));
    return `${drum}, bar ${bar} beat ${beat}${rest ? ` and ${rest}` : ''}`;
  }

  get summary() {
    const { chosen } = this;
    return chosen.length === 1 ? this.#wordsOf(chosen[0]) : `${chosen.length} hits`;
  }

  // ---- gestures

  hover() {}

  press(event) {
    if (event.button !== 0) return undefined;
    this.host.focus({ preventScroll: true });
    const drum = this.drumAt(event);
    if (!drum) return undefined;
    if (event.shiftKey) return this.#marquee(event);
    return this.#paint(event, drum);
  }

  /** The first step says whether the drag sets or clears; the row stays that of the press. */
  #paint(event, drum) {
    const { tool } = this.timeline;
    const hits = desk.doc.drums;
    const under = this.#under(event, drum);
    const clears = tool === 'erase' || Boolean(under);
    const touched = new Map(under ? [[this.stepAt(event), under]] : []);
    let from = this.stepAt(event);
    const touch = (now) => {
      const to = this.stepAt(now);
      const steps = now.altKey ? [to] : Array.from({ length: Math.round(Math.abs(to - from) / STEP) + 1 }, (_, i) => Math.min(from, to) + i * STEP);
      from = to;
      for (const step of steps) {
        if (step < this.low - 1e-6 || step >= this.high - 1e-6 || touched.has(step)) continue;
        const known = hitAt(hits, step, drum);
        if (clears && known) touched.set(step, known);
        else if (!clears && !known) touched.set(step, tidy({ id: newId('h'), time: step, drum }));
      }
      this.draft = result();
      this.timeline.redraw();
    };
    const result = () => (clears ? without(hits, [...touched.values()].map(({ id }) => id)) : put(hits, [...touched.values()]));
    const end = (now) => {
      touch(now);
      this.lastDrum = drum;
      this.commit(clears ? 'erase_hits' : 'draw_hits', result());
      this.choose();
    };
    touch(event);
    if (!clears && desk.synth.on && !desk.player.playing) desk.synth.blip({ kind: 'drum', drum });
    const alone = event.altKey; // off the grid: one hit, dragged to its place
    drag(event, this.timeline.board, {
      move: (now) => {
        if (alone) touched.clear();
        touch(now);
      },
      end: (now) => {
        if (alone) touched.clear();
        end(now);
      },
      click: () => end(event),
      cancel: () => this.restore(),
    });
  }

  /** The hit whose drawing or step the pointer is on. */
  #under(event, drum) {
    const x = event.clientX - this.host.getBoundingClientRect().left;
    const drawn = desk.doc.drums.find((hit) => hit.drum === drum && x >= this.x(hit.time) - 1 && x < this.x(hit.time) + 8);
    return drawn ?? (event.altKey ? undefined : hitAt(desk.doc.drums, this.stepAt(event), drum));
  }

  #marquee(event) {
    const caught = ({ x, y, w, h }) => desk.doc.drums.filter(({ time, drum }) => {
      const top = DRUMS.indexOf(drum) * this.row;
      return this.x(time) + 4 > x && this.x(time) < x + w && top + this.row > y && top < y + h;
    });
    this.chooseByDrag(event, caught, () => {
      const hit = this.#under(event, this.drumAt(event));
      if (hit) this.toggle(hit.id);
    });
  }

  // ---- actions

  /** A chosen hit on the drum above (+1) or below. */
  transpose(steps) {
    const { chosen } = this;
    if (!chosen.length) return false;
    const rows = chosen.map(({ drum }) => DRUMS.indexOf(drum));
    const by = -Math.sign(steps);
    if (Math.min(...rows) + by < 0 || Math.max(...rows) + by >= DRUMS.length) return true;
    this.putAll('move_hits', chosen.map((hit) => ({ ...hit, drum: DRUMS[DRUMS.indexOf(hit.drum) + by] })));
    return true;
  }

  /** By a sixteenth, or by the snap step where that is finer. */
  nudge(direction) {
    const { chosen } = this;
    if (!chosen.length) return false;
    const beats = within(chosen, direction * Math.min(STEP, this.stepBeats() || 1 / 16), this.high - 1e-3, this.low);
    this.putAll('move_hits', chosen.map((hit) => shifted(hit, beats)));
    return true;
  }

  /** A hit at the playhead, or after the chosen one. */
  insert() {
    const { chosen } = this;
    const here = secondsToBeats(desk.doc.grid, desk.player.position);
    const drum = chosen[0]?.drum ?? this.lastDrum;
    const hit = tidy({ id: newId('h'), time: chosen.length ? chosen.at(-1).time + STEP : Math.round(here / STEP) * STEP, drum });
    if (hit.time >= this.high) return true;
    this.putAll('draw_hits', [hit]);
    this.choose(hit.id);
    return true;
  }

  step(direction) {
    const found = super.step(direction);
    if (found) this.timeline.reveal(beatsToSeconds(desk.doc.grid, this.chosen[0].time));
    return found;
  }

  setTapping(on) {
    this.tapping = on;
    this.timeline.say('');
    this.timeline.redraw();
  }

  /** A key while tapping: a hit at the playhead, on the nearest sixteenth unless snapping is off. True if it was one. */
  tap(key) {
    const drum = TAPS[key.toLowerCase()];
    if (!this.tapping || !drum) return false;
    const { grid } = desk.doc;
    const here = secondsToBeats(grid, desk.player.position);
    const time = this.timeline.snap === 'off' ? here : Math.round(here / STEP) * STEP;
    desk.synth.blip({ kind: 'drum', drum });
    this.putAll('tap_hits', [tidy({ id: newId('h'), time: clamp(time, this.low, this.high - 1e-3), drum })]);
    return true;
  }
}
