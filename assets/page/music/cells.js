/**
 * Objects on a lane, whichever lane: pure functions. Chords and notes are cells {id, start, end}, half-open,
 * never overlapping; drum hits are {id, time}. All in beats, in order. Knows no DOM.
 */

const PLACES = 1e4; // beats are kept to a ten-thousandth

export const startOf = (item) => item.time ?? item.start;
export const endOf = (item) => item.time ?? item.end;
const rounded = (beats) => Math.round(beats * PLACES) / PLACES;

/** The object with its beats free of binary noise. */
export function tidy(item) {
  if (item.time !== undefined) return { ...item, time: rounded(item.time) };
  return { ...item, start: rounded(item.start), end: rounded(item.end) };
}

export const newId = (prefix) => `${prefix}${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

const byTime = (a, b) => startOf(a) - startOf(b);

/** A new cell cuts what it covers: neighbours are trimmed, covered ones go, a longer one is split. */
export function cover(cells, cell) {
  const out = [];
  for (const other of cells) {
    if (other.id === cell.id) continue;
    if (other.end <= cell.start || other.start >= cell.end) out.push(other);
    else {
      if (other.start < cell.start) out.push({ ...other, end: cell.start });
      if (other.end > cell.end) out.push({ ...other, id: other.start < cell.start ? `${other.id}b` : other.id, start: cell.end });
    }
  }
  return [...out, cell].sort(byTime);
}

/** What is left of a cell under `cuts`, which are in order and apart; as `cover` leaves it, one after the other. */
function remains(cell, cuts) {
  let [low, high] = [0, cuts.length];
  while (low < high) { // the first cut that ends behind the cell's start
    const middle = (low + high) >> 1;
    if (cuts[middle].end <= cell.start) low = middle + 1;
    else high = middle;
  }
  const out = [];
  let rest = cell;
  for (; low < cuts.length && rest && cuts[low].start < rest.end; low++) {
    const { start, end } = cuts[low];
    const left = rest.start < start;
    if (left) out.push({ ...rest, end: start });
    rest = rest.end > end ? { ...rest, id: left ? `${rest.id}b` : rest.id, start: end } : null;
  }
  return rest ? [...out, rest] : out;
}

/** The lane with these objects on it: known ones move, cells cut what they cover, equal hits become one. */
export function put(items, changed) {
  const ids = new Set(changed.map(({ id }) => id));
  const rest = items.filter(({ id }) => !ids.has(id));
  if (!changed.length) return rest;
  if (changed[0].time === undefined) {
    const cuts = [...changed].sort(byTime);
    const apart = cuts.every((cell, i) => i === 0 || cuts[i - 1].end <= cell.start);
    return apart ? [...rest.flatMap((cell) => remains(cell, cuts)), ...cuts].sort(byTime) : changed.reduce(cover, rest);
  }
  const places = new Set(changed.map(({ time, drum }) => `${time} ${drum}`));
  return [...rest.filter(({ time, drum }) => !places.has(`${time} ${drum}`)), ...changed].sort(byTime);
}

export const without = (items, ids) => {
  const gone = typeof ids === 'string' ? new Set([ids]) : new Set(ids);
  return items.filter(({ id }) => !gone.has(id));
};

export const shifted = (item, beats) => tidy(item.time === undefined
  ? { ...item, start: item.start + beats, end: item.end + beats } : { ...item, time: item.time + beats });

/** A cell moved by `beats`, kept inside [low, high]. */
export function moved(cell, beats, high, low = 0) {
  return shifted(cell, within([cell], beats, high, low));
}

/** How far a group can be moved towards `beats` without leaving [low, high]. */
export function within(items, beats, high, low = 0) {
  const first = Math.min(...items.map(startOf));
  const last = Math.max(...items.map(endOf));
  return Math.max(low - first, Math.min(beats, Math.max(high - last, low - first)));
}

/** A cell with one edge set, at least `least` beats long. */
export function resized(cell, edge, beats, least, high, low = 0) {
  if (edge === 'start') return { ...cell, start: Math.max(low, Math.min(beats, cell.end - least)) };
  return { ...cell, end: Math.min(high, Math.max(beats, cell.start + least)) };
}

/** A cell cut in two at `beats`; only itself where the cut would leave less than `least`. */
export function halves(cell, beats, id, least = 1 / 16) {
  if (beats - cell.start < least || cell.end - beats < least) return [cell];
  return [tidy({ ...cell, end: beats }), tidy({ ...cell, id, start: beats })];
}

/** Cells as one: from the first's start to the last's end, with the first's id and what it says. */
export function merged(cells) {
  const ordered = [...cells].sort(byTime);
  return { ...ordered[0], end: Math.max(...cells.map(({ end }) => end)) };
}

/** Starts and ends at the nearest multiple of `step`; a cell keeps at least one step. */
export function quantised(items, step) {
  const near = (beats) => Math.round(beats / step) * step;
  return items.map((item) => {
    if (item.time !== undefined) return tidy({ ...item, time: near(item.time) });
    const start = near(item.start);
    return tidy({ ...item, start, end: Math.max(near(item.end), start + step) });
  });
}

const OFF = 0.02; // beats from which a border is off the beat

/** How many cells begin or end off the beat, other than where the clip does (`low` and `high`). */
export const offBeats = (cells, low, high) => cells.filter(({ start, end }) => [start, end]
  .some((beats) => [Math.round(beats), low, high].every((place) => Math.abs(beats - place) > OFF))).length;

/** Cells on whole beats within `low` to `high`, none over another: of those that come onto one beat the longest stays. */
export function onBeats(cells, low, high) {
  const kept = new Map(); // beat -> the cell that begins there
  for (const cell of cells) {
    const start = Math.round(cell.start);
    const other = kept.get(start);
    if (!other || cell.end - cell.start > other.end - other.start) kept.set(start, cell);
  }
  const starts = [...kept.keys()].sort((a, b) => a - b);
  return starts.map((start, i) => {
    const cell = kept.get(start);
    const end = Math.min(Math.max(Math.round(cell.end), start + 1), starts[i + 1] ?? Infinity, high);
    return tidy({ ...cell, start: Math.max(start, low), end });
  }).filter(({ start, end }) => end > start);
}

/** Copies of items with new ids, moved by `beats`. */
export const copies = (items, beats, prefix) => items.map((item) => ({ ...shifted(item, beats), id: newId(prefix) }));

/** What turns one state of a lane into another: {put: [...], remove: [ids]}. */
export function changes(before, after) {
  const known = new Map(before.map((item) => [item.id, JSON.stringify(item)]));
  const now = new Set(after.map(({ id }) => id));
  return {
    put: after.filter((item) => known.get(item.id) !== JSON.stringify(item)),
    remove: before.filter(({ id }) => !now.has(id)).map(({ id }) => id),
  };
}

/** The item before (-1) or after (+1) a place in beats, or null. */
export function neighbour(items, beats, direction) {
  const ordered = [...items].sort(byTime);
  if (direction > 0) return ordered.find((item) => startOf(item) > beats + 1e-6) ?? null;
  return ordered.reverse().find((item) => startOf(item) < beats - 1e-6) ?? null;
}
