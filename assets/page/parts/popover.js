/**
 * A dialog beside what it is about: under it with an arrow, above it where there is no room. A press outside
 * or Esc closes it, Tab stays inside, the focus goes back. Subclasses give `markup()` and answer `press`.
 */

import { clamp } from '../music/time.js';
import { html, render } from './markup.js';
import { Scope } from './scope.js';

export class Popover {
  #home = null; // what had the focus
  #scope = null; // while it is open

  constructor(timeline, label, kind) {
    this.kind = kind;
    this.timeline = timeline;
    this.label = label;
    this.node = null;
    timeline.popovers.add(this);
  }

  // ---- what subclasses say

  markup() {
    return html``;
  }

  /** A button of it. */
  press(_button) {}

  /** Something is typed into a field of it. */
  input(_field) {}

  change(_field) {}

  /** A key that it knows itself; false for any other. */
  key(_event) {
    return false;
  }

  get isOpen() {
    return this.node !== null;
  }

  show(anchor, home = anchor) {
    this.timeline.closePopovers();
    this.#home = home;
    this.#scope = new Scope();
    this.#scope.listen(document, 'pointerdown', (event) => event.composedPath().includes(this.node) || this.close(false), { capture: true });
    this.node = document.createElement('div');
    this.node.className = `popover ${this.kind}`;
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', this.label);
    this.node.popover = 'manual'; // the browser's top layer: no lane or pane cuts it off
    this.timeline.shadowRoot.append(this.node);
    this.node.showPopover();
    this.node.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) this.press(button);
    });
    this.node.addEventListener('keydown', (event) => this.#key(event));
    this.node.addEventListener('input', (event) => this.input(event.target));
    this.node.addEventListener('change', (event) => this.change(event.target));
    this.render();
    this.#place(anchor);
    this.node.querySelector('input, select, button').focus({ preventScroll: true });
  }

  render() {
    render(this.node, html`<i class="arrow"></i>${this.markup()}`);
  }

  /** Renders anew and gives the focus back to what had it. */
  again(selector) {
    this.render();
    this.node.querySelector(selector)?.focus({ preventScroll: true });
  }

  close(refocus = true) {
    if (!this.node) return;
    this.#scope.end();
    this.node.remove();
    this.node = null;
    if (refocus) (this.#home?.isConnected ? this.#home : this.timeline.board).focus({ preventScroll: true });
  }

  #place(anchor) {
    const cell = anchor.getBoundingClientRect();
    const box = this.node.getBoundingClientRect();
    const middle = clamp((cell.left + cell.right) / 2, 0, window.innerWidth);
    const own = !(anchor instanceof Element) || !anchor.closest('#panel');
    const room = (own && document.querySelector('#stage')?.getBoundingClientRect().right) || window.innerWidth; // not over the panel, but for what it opens itself
    const left = clamp(middle - box.width / 2, 8, Math.min(room, window.innerWidth) - box.width - 8);
    const fits = cell.bottom + 8 + box.height <= window.innerHeight - 8;
    const above = !fits && cell.top - box.height - 8 >= 8;
    const top = above ? cell.top - box.height - 8 : Math.max(8, Math.min(cell.bottom + 8, window.innerHeight - box.height - 8));
    this.node.classList.toggle('above', above);
    this.node.classList.toggle('loose', !fits && !above); // lies over its anchor: no arrow
    this.node.style.left = `${left}px`;
    this.node.style.top = `${top}px`;
    this.node.style.setProperty('--arrow', `${clamp(middle - left, 16, box.width - 16)}px`);
  }

  #key(event) {
    if (this.key(event)) {
      event.stopPropagation();
      return;
    }
    if (event.key === 'Escape') {
      event.preventDefault();
      this.close();
    } else if (event.key === 'Tab') {
      const stops = [...this.node.querySelectorAll('input, select, button')].filter((stop) => !stop.disabled);
      const here = stops.indexOf(this.timeline.shadowRoot.activeElement);
      event.preventDefault();
      stops[(here + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
    }
    event.stopPropagation();
  }
}
