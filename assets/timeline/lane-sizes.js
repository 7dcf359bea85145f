/**
 * Heights of the lanes: weights that share what the window gives, kept in the browser. The edge under a lane
 * moves height between it and the next one, by drag or by arrow keys; no lane goes below half its design.
 */

import { drag } from './gestures.js';

const KEY = 'inlay-lane-heights';
const DESIGN = [136, 52, 168, 116]; // audio, chords, melody, drums; pixels at 1440 x 900
const NAMES = ['audio', 'chords', 'melody', 'drums'];

/** Heights after moving `pixels` across an edge: both neighbours keep at least half of what was drawn. */
export function movedEdge(heights, index, pixels, design = DESIGN) {
  const low = design[index] / 2 - heights[index];
  const high = heights[index + 1] - design[index + 1] / 2;
  const by = Math.max(Math.min(low, 0), Math.min(pixels, Math.max(high, 0)));
  return heights.map((height, i) => (i === index ? height + by : i === index + 1 ? height - by : height));
}

export class LaneSizes {
  constructor(timeline, hosts) {
    this.timeline = timeline;
    this.hosts = hosts;
    this.weights = this.#stored();
    this.edges = NAMES.slice(0, -1).map((name, index) => this.#edge(name, index));
  }

  #stored() {
    try {
      const weights = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(weights) && weights.length === DESIGN.length && weights.every((w) => w > 0 && w < 1e4) ? weights : null;
    } catch {
      return null;
    }
  }

  #edge(name, index) {
    const edge = document.createElement('div');
    edge.className = 'edge';
    edge.tabIndex = 0;
    edge.title = 'Drag to make the lane taller, double-click for its own height';
    for (const [attribute, value] of [['role', 'separator'], ['aria-orientation', 'horizontal'], ['aria-label', `Lower edge of the ${name} lane`], ['aria-valuemin', DESIGN[index] / 2], ['aria-valuemax', 2000]]) edge.setAttribute(attribute, value);
    this.timeline.board.append(edge);
    edge.addEventListener('pointerdown', (event) => {
      // A finger is given to the nearest thing that can have the focus, even where it is beside it.
      const box = edge.getBoundingClientRect();
      if (event.clientY < box.top || event.clientY > box.bottom) return;
      event.stopPropagation();
      const from = this.heights;
      const go = (now) => this.#set(movedEdge(from, index, now.clientY - event.clientY));
      drag(event, edge, { move: go, end: go, cancel: () => this.#set(from) });
    });
    edge.addEventListener('dblclick', () => this.#set(null));
    edge.addEventListener('keydown', (event) => {
      const sign = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!sign) return;
      event.preventDefault();
      event.stopPropagation();
      this.#set(movedEdge(this.heights, index, 8 * sign));
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

  apply() {
    const { style } = this.timeline.board;
    if (!this.weights) return style.removeProperty('--lanes');
    return style.setProperty('--lanes', this.weights.map((weight, i) => `minmax(${DESIGN[i] / 2}px, ${weight}fr)`).join(' '));
  }

  draw() {
    this.timeline.board.style.setProperty('--audio', `${this.hosts[0].offsetHeight}px`); // the spans' handles stand at its middle
    this.edges.forEach((edge, index) => {
      const host = this.hosts[index];
      edge.style.top = `${host.offsetTop + host.offsetHeight - 4}px`;
      edge.setAttribute('aria-valuenow', host.offsetHeight);
    });
  }
}
