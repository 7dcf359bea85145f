/**
 * The window onto the clip: zoom and scroll, what places snap to, and following the playhead. Times in seconds on the
 * clip's clock, x in CSS pixels from the lanes' left edge. <inlay-timeline> builds on it.
 */

import { desk } from '../store/desk.js';
import { clamp, clampView, fitView, round, snapStep, snapTime, xToTime, zoomAt } from '../music/time.js';
import { boxOf } from '../parts/wave.js';

const CALM = matchMedia('(prefers-reduced-motion: reduce)');

export class Viewport extends HTMLElement {
  /** @type {{start: number, pps: number} | null} */
  view = null;
  snap = sessionStorage.getItem('inlay-snap') ?? 'beat';
  following = true;
  ruler = null; // the element whose width is that of the lanes
  #fitted = true; // the whole clip is in view, and stays so when the window changes

  /** Draws everything with the next frame; what builds on this says how. */
  redraw() {}

  /** Width of the lanes in CSS pixels. */
  get width() {
    return boxOf(this.ruler).width || 1;
  }

  get duration() {
    return desk.duration;
  }

  /** What snaps is the tool bar's choice; kept for the tab. */
  setSnap(mode) {
    this.snap = mode;
    sessionStorage.setItem('inlay-snap', mode);
  }

  timeAt(event) {
    return clamp(xToTime(this.view, event.clientX - this.ruler.getBoundingClientRect().left), 0, this.duration);
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

  fit() {
    this.#fitted = true;
    this.setView(fitView(this.duration, this.width));
  }

  /** After the window has changed: the whole clip stays in view where it was, else the view keeps its zoom. */
  refit() {
    if (this.#fitted || !this.view) this.fit();
    else this.setView(this.view);
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

  /** Scrolls with the playhead once it has passed the middle; page by page where motion is not wanted. */
  follow(position) {
    const seconds = this.width / this.view.pps;
    if (seconds >= this.duration - 1e-6) return;
    const outside = position < this.view.start || position > this.view.start + seconds;
    if (outside) this.setView({ ...this.view, start: position - seconds * 0.05 });
    else if (!CALM.matches && position > this.view.start + seconds * 0.6 && this.view.start + seconds < this.duration - 1e-6) {
      this.setView({ ...this.view, start: position - seconds * 0.6 });
    }
  }

  /** The wheel scrolls, with Ctrl or ⌘ it zooms at the pointer. */
  wheel(event) {
    const zooms = event.ctrlKey || event.metaKey;
    const across = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const { parentElement: stage } = document.querySelector('#timeline');
    if (!across && !zooms && this.#fitted && stage.scrollHeight > stage.clientHeight) return; // a low window scrolls its lanes
    event.preventDefault();
    if (zooms) this.zoom(Math.exp(-event.deltaY * 0.0025), event.clientX - this.ruler.getBoundingClientRect().left);
    else this.setView({ ...this.view, start: this.view.start + (across ? event.deltaX : event.deltaY) / this.view.pps });
  }
}
