/** For whom words and ticks are: the clip, or the span that is active. Knows no DOM. */

/** Id of the active span, which words and ticks are for as long as it is active; '' for the clip, or without one. */
export function worded({ spans, active, clip }) {
  return clip && spans.some(({ id }) => id === active) ? active : '';
}
