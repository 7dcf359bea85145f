/**
 * One pointer drag from press to release. Esc or a lost pointer restores. A press that moves less than
 * the threshold is a click. Owns its listeners and removes them all at the end. Knows no lanes.
 */

const THRESHOLD = 3; // pixels

/** How near is near enough, in pixels: a finger is wider than a mouse's point. */
export const reach = (event, mouse, finger) => (event.pointerType === 'touch' ? finger : mouse);

/** handlers: {move(event), end(event), click(event), cancel()}; all optional. */
export function drag(down, target, handlers) {
  if (down.button !== 0) return;
  let begun = false;
  const scope = new AbortController();
  const options = { signal: scope.signal };
  const finish = (how, event) => {
    scope.abort();
    if (target.hasPointerCapture?.(down.pointerId)) target.releasePointerCapture(down.pointerId);
    handlers[how]?.(event);
  };
  // Captured once it is a drag: a click keeps its own target, so that a double-click finds its lane.
  const capture = () => {
    try {
      target.setPointerCapture(down.pointerId);
    } catch {
      // A synthetic pointer has no capture; the window's listeners below still see it.
    }
  };
  window.addEventListener('pointermove', (event) => {
    if (event.pointerId !== down.pointerId) return;
    if (!begun && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < THRESHOLD) return;
    if (!begun) capture();
    begun = true;
    handlers.move?.(event);
  }, options);
  window.addEventListener('pointerup', (event) => {
    if (event.pointerId === down.pointerId) finish(begun ? 'end' : 'click', event);
  }, options);
  window.addEventListener('pointercancel', () => finish('cancel'), options);
  window.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopImmediatePropagation();
    finish('cancel');
  }, { ...options, capture: true });
}
