/** The document's spans as a gesture leaves them, before the server has answered. Pure functions. */

/** A span of which the server has not heard yet. */
const NEW_SPAN = {
  prompt: null, follow: null, intent: 'auto', changed: [], ignored: [], words: [], resolved: 'blend',
  reason: 'Picked for you: nothing in the span was changed',
};

/** Spans in order, with the active one and where it lies. */
export function arranged(spans, active) {
  const ordered = [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
  const region = ordered.find(({ id }) => id === active);
  return { spans: ordered, active: region ? active : '', region: region ? { start: region.start, end: region.end } : null };
}

/** With a span {id, start, end}: a known one moves, another is added; it becomes the active one. */
export function withSpan(spans, { id, start, end }) {
  const known = spans.find((span) => span.id === id);
  return arranged([...spans.filter((other) => other.id !== id), { ...NEW_SPAN, ...known, id, start, end }], id);
}

/** Without a span; where it was the active one, its neighbour is. */
export function withoutSpan(spans, id, active) {
  const at = spans.findIndex((span) => span.id === id);
  const rest = spans.filter((span) => span.id !== id);
  return arranged(rest, id === active ? (rest[Math.min(at, rest.length - 1)]?.id ?? '') : active);
}

/** With changes to one of them. */
export const changed = (spans, id, change) => spans.map((span) => (span.id === id ? { ...span, ...change } : span));
