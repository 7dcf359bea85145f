/**
 * Heights of the lanes: weights that share what the window gives, kept in the browser. The edge under a lane
 * moves height between it and the next one, by drag or by arrow keys; no lane goes below half its design.
 * The band lane stands between audio and chords with a height of its own: a line while it is folded.
 */

import { drag } from '../parts/gestures.js';

const KEY = 'inlay-lane-heights';
const BAND_KEY = 'inlay-band-height';
const DESIGN = [136, 52, 168, 116]; // audio, chords, melody, drums; pixels at 1440 x 900, the band's line among the first's
const NAMES = ['audio', 'chords', 'melody', 'drums'];
const BAND = [68, 400]; // pixels that an open band lane may have: two rows at least
const isLow = () => matchMedia('(max-height: 860px) and (min-width: 701px)').matches;

/** Heights after moving `pixels` across an edge: both neighbours keep at least half of what was drawn. */
export function movedEdge(heights, index, pixels, design = DESIGN) {
  const low = design[index] / 2 - heights[index];
  const high = heights[index + 1] - design[index + 1] / 2;
  const by = Math.max(Math.min(low, 0), Math.min(pixels, Math.max(high, 0)));
  return heights.map((height, i) => (i === index ? height + by : i === index + 1 ? height - by : height));
}

export class LaneSizes {
  constructor(timeline, hosts, band) {
    this.timeline = timeline;
    this.hosts = hosts;
    this.band = band;
    this.weights = this.#stored();
    this.own = Number(localStorage.getItem(BAND_KEY)) || null; // the band's height as it was drawn out
    this.edges = NAMES.slice(0, -1).map((name, index) => this.#edge(name, DESIGN[index] / 2, {
      from: () => this.heights, move: (from, by) => this.#set(movedEdge(from, index, by)), restore: (from) => this.#set(from), reset: () => this.#set(null),
    }));
    this.bandEdge = this.#edge('band', BAND[0], {
      from: () => band.host.offsetHeight, move: (from, by) => this.#setBand(from + by), restore: (from) => this.#setBand(from), reset: () => this.#setBand(null),
    });
  }

  #stored() {
    try {
      const weights = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(weights) && weights.length === DESIGN.length && weights.every((w) => w > 0 && w < 1e4) ? weights : null;
    } catch {
      return null;
    }
  }

  #edge(name, least, { from, move, restore, reset }) {
    const edge = document.createElement('div');
    edge.className = 'edge';
    edge.tabIndex = 0;
    edge.title = 'Drag to make the lane taller, double-click for its own height';
    for (const [attribute, value] of [['role', 'separator'], ['aria-orientation', 'horizontal'], ['aria-label', `Lower edge of the ${name} lane`], ['aria-valuemin', least], ['aria-valuemax', 2000]]) edge.setAttribute(attribute, value);
    this.timeline.board.append(edge);
    edge.addEventListener('pointerdown', (event) => {
      // A finger is given to the nearest thing that can have the focus, even where it is beside it.
      const box = edge.getBoundingClientRect();
      if (event.clientY < box.top || event.clientY > box.bottom) return;
      event.stopPropagation();
      const before = from();
      const go = (now) => move(before, now.clientY - event.clientY);
      drag(event, edge, { move: go, end: go, cancel: () => restore(before) });
    });
    edge.addEventListener('dblclick', reset);
    edge.addEventListener('keydown', (event) => {
      const sign = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!sign) return;
      event.preventDefault();
      event.stopPropagation();
      move(from(), 8 * sign);
    });
    return edge;
  }

  get heights() {
    return this.hosts.map((host) => host.getBoundingClientRect().height);
  }

  #set(weights) {
    this.weights = weights;
    if (weights) localStorage.setItem(KEY, JSON.stringify(weights.map(Math.round)));
    else localStorage.removeItem(KEY);
    this.apply();
    this.timeline.redraw();
  }

  #setBand(height) {
    this.own = height && Math.max(BAND[0], Math.min(height, BAND[1]));
    if (this.own) localStorage.setItem(BAND_KEY, String(Math.round(this.own)));
    else localStorage.removeItem(BAND_KEY);
    this.apply();
    this.timeline.redraw();
  }

  /** Whether the window is too low for more than a few rows. */
  get low() {
    return isLow();
  }

  #tall = 0;

  apply() {
    const { style, classList } = this.timeline.board;
    const { open } = this.band;
    this.#tall = open ? (this.own ?? this.band.tall) : 0;
    classList.toggle('band-open', open);
    if (open) style.setProperty('--band-tall', `${this.#tall}px`);
    else style.removeProperty('--band-tall');
    // An open band takes the drums' rows in a low window: then the lanes have the heights that are drawn for that.
    if (!this.weights || (open && isLow())) return style.removeProperty('--lanes');
    const [audio, ...rest] = this.weights.map((weight, i) => `minmax(${DESIGN[i] / 2}px, ${weight}fr)`);
    return style.setProperty('--lanes', [audio, 'var(--band-tall, 28px)', ...rest].join(' '));
  }

  draw() {
    if (this.band.open && !this.own && this.band.tall !== this.#tall) this.apply();
    this.timeline.board.style.setProperty('--audio', `${this.hosts[0].offsetHeight}px`); // the spans' handles stand at its middle
    this.edges.forEach((edge, index) => this.#place(edge, this.hosts[index]));
    this.bandEdge.hidden = !this.band.open;
    this.#place(this.bandEdge, this.band.host);
  }

  #place(edge, host) {
    edge.style.top = `${host.offsetTop + host.offsetHeight - 4}px`;
    edge.setAttribute('aria-valuenow', host.offsetHeight);
  }
}
