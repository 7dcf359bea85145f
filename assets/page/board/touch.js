/** Fingers on the board: a long press opens what the right button opens, two fingers zoom and scroll. */

import { xToTime } from '../music/time.js';

export class Touch {
  #points = new Map(); // id -> x of the touch points that are down

  constructor(timeline) {
    this.timeline = timeline;
  }

  /** A long press on touch is what the right button is on a mouse. */
  hold(event, lane, target) {
    const scope = new AbortController();
    const id = target.closest('.cell')?.dataset.id;
    const timer = setTimeout(() => {
      scope.abort();
      window.dispatchEvent(new PointerEvent('pointercancel', { pointerId: event.pointerId }));
      this.#ignoreRelease();
      if (lane.hold) lane.hold(event);
      else if (id) lane.openPalette(id);
      else this.timeline.menu.open(lane.name, lane.host);
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
  pinch(event) {
    this.#points.set(event.pointerId, event.clientX);
    const down = new AbortController();
    const forget = (now) => {
      if (now.pointerId !== event.pointerId) return; // another finger
      this.#points.delete(event.pointerId);
      down.abort();
    };
    for (const kind of ['pointerup', 'pointercancel']) window.addEventListener(kind, forget, { signal: down.signal });
    if (this.#points.size < 2) return false;
    window.dispatchEvent(new PointerEvent('pointercancel', { pointerId: -1 })); // ends the first finger's gesture
    const { timeline } = this;
    const box = timeline.find('.ruler').getBoundingClientRect();
    const places = () => [...this.#points.values()].sort((a, b) => a - b);
    let [left, right] = places();
    const scope = new AbortController();
    window.addEventListener('pointermove', (now) => {
      if (this.#points.size < 2) return scope.abort();
      if (!this.#points.has(now.pointerId)) return undefined;
      this.#points.set(now.pointerId, now.clientX);
      const [a, b] = places();
      const anchor = xToTime(timeline.view, (left + right) / 2 - box.left);
      timeline.zoom(Math.max(b - a, 10) / Math.max(right - left, 10), (left + right) / 2 - box.left);
      timeline.setView({ ...timeline.view, start: anchor - ((a + b) / 2 - box.left) / timeline.view.pps });
      [left, right] = [a, b];
      return undefined;
    }, { signal: scope.signal });
    return true;
  }
}
