/** Where words stand on a canvas so that none is cut off or lies over another. Pixels; pure functions. */

const EDGE = 8; // pixels that words keep from the edges

/** Where words of a width begin, at `x` or as far left of it as they need to end inside. */
export const inside = (x, wide, width) => Math.max(EDGE, Math.min(x, width - wide - EDGE));

/** The labels {x, wide, ...} that are whole in sight, in their order; one that would lie over the last is left out. */
export function apart(labels, width) {
  let end = 0;
  return labels.filter(({ x, wide }) => {
    if (x < end || x + wide > width) return false;
    end = x + wide + EDGE / 2;
    return true;
  });
}
