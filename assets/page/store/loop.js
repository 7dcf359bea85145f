/** What is looped, in seconds on the clip's clock: the span in Edit, in Listen the span of the takes and something around it. Pure. */

const BLIND = 1; // seconds beside the span in the blind test

/** {start, end} of what L loops; null = the whole clip. `group` has the takes, `track` is the one that is heard. */
export function loopSpan({ view, solo, around, track, group, region, duration }) {
  if (track?.extends === 'loop') return { start: 0, end: track.seconds }; // its join is what one wants to hear
  const place = group?.region;
  if ((view === 'edit' && !solo) || !place) return view === 'edit' ? region : place;
  const beside = solo ? 0 : view === 'blind' ? BLIND : around;
  return { start: Math.max(Math.min(0, place.start), place.start - beside), end: Math.min(Math.max(duration, place.end), place.end + beside) };
}
