/**
 * Who plays when: cells {id, name, start, end, plays, sure, by}, half-open, in beats; those of one name never
 * overlap. `by` says who put one there: drawn | words | heard | midi. Pure functions. Knows no DOM.
 *
 * In a span a row has one of four states: "asked" (drawn, or in the span's words), "given" (it goes on as the
 * music has it), "none" (asked to be absent) and "open" (nothing is said).
 */

import { newId, put, tidy } from './cells.js';

const GIVEN = new Set(['heard', 'midi']);
export const LEAST = 1 / 16; // beats; what is left shorter than this vanishes

export const SAYS = { asked: 'asked', given: 'goes on', none: 'none asked', open: 'left open' };

/** "Upright bass" of "upright bass". */
export const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** Whether a name takes a plural verb: drums still play, the piano still plays. */
export const isMany = (name) => /[^s]s$/.test(name) && !/\band piped$/.test(name);

const overlap = (a, b) => Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
const byStart = (a, b) => a.start - b.start || (a.name < b.name ? -1 : 1);
const own = (cells, name) => cells.filter((cell) => cell.name === name);

// ---- edits: all of them leave every other row as it is

/** The lane with these cells on it: each cuts what it covers in its own row. */
export function putParts(cells, changed) {
  const moved = new Set(changed.map(({ id }) => id));
  let out = cells.filter(({ id }) => !moved.has(id));
  for (const name of new Set(changed.map((cell) => cell.name))) {
    const row = put(own(out, name), own(changed, name).map(tidy)).filter(({ start, end }) => end - start > LEAST - 1e-6);
    out = [...out.filter((cell) => cell.name !== name), ...row];
  }
  return out.sort(byStart);
}

/** The lane with nothing said about a row from `start` to `end`. */
export function cleared(cells, { name, start, end }) {
  const hole = { id: newId('b'), name, start, end };
  return putParts(cells, [hole]).filter(({ id }) => id !== hole.id);
}

/** The lane with one thing said about a row from `start` to `end`: "asked" and "none" put a cell, "open" takes them away. */
export function said(cells, { name, start, end, id = newId('b') }, state) {
  if (state === 'open') return cleared(cells, { name, start, end });
  return putParts(cells, [{ id, name, start, end, plays: state !== 'none', sure: 1, by: 'drawn' }]);
}

/** What a double click turns a state into. */
export const cycled = (state) => ({ asked: 'none', given: 'none', none: 'open', open: 'asked' })[state];

/** Only this row plays from `start` to `end`: it is asked, whoever else plays there (as `rows` say) is asked to be absent. */
export function solo(cells, { name, start, end }, rows) {
  const others = rows.filter((other) => other !== name);
  return said(others.reduce((lane, other) => said(lane, { name: other, start, end }, 'none'), cells), { name, start, end }, 'asked');
}

// ---- what a row says

/** The state of a cell by itself. */
export const stateOf = ({ plays, by }) => (!plays ? 'none' : GIVEN.has(by) ? 'given' : 'asked');

/** What a span's words say of a name: {name, plays, text}, or undefined. */
export const worded = (name, words) => words?.find((word) => word.name === name);

/**
 * A row cut at the span's borders: [{id, name, start, end, state, inside, cell}], in order. Inside the span every
 * place has a state, "open" and what only the words say included (cell null); outside, only cells are there.
 */
export function pieces(cells, name, span, words = []) {
  const out = own(cells, name).sort(byStart).flatMap((cell) => cutAt(cell, span));
  if (!span) return out;
  const word = worded(name, words);
  // Words are wishes: they say more than what was only heard, and less than what was drawn.
  const stands = out.filter((piece) => piece.inside && !(word && GIVEN.has(piece.cell.by)));
  const state = word ? (word.plays ? 'asked' : 'none') : 'open';
  return [...out.filter(({ inside }) => !inside), ...stands, ...gaps(stands, span, { name, state, inside: true, cell: null })].sort(byStart);
}

/** A cell as one piece, or cut where a span begins and ends; what is too short for a piece is left out. */
function cutAt(cell, span) {
  const whole = !span || cell.end <= span.start + 1e-6 || cell.start >= span.end - 1e-6;
  if (whole) return pieceOf(cell, cell.start, cell.end, false, '');
  const covered = cell.start >= span.start - 1e-6 && cell.end <= span.end + 1e-6;
  return [
    ...(cell.start < span.start ? pieceOf(cell, cell.start, span.start, false, '<') : []),
    ...pieceOf(cell, Math.max(cell.start, span.start), Math.min(cell.end, span.end), true, covered ? '' : '~'),
    ...(cell.end > span.end ? pieceOf(cell, span.end, cell.end, false, '>') : []),
  ];
}

function pieceOf(cell, start, end, inside, tail) {
  return end - start > LEAST - 1e-6 ? [{ id: `${cell.id}${tail}`, name: cell.name, start, end, state: stateOf(cell), inside, cell }] : [];
}

/** Pieces like `fill` where a span has none; `stands` in order. */
function gaps(stands, span, fill) {
  let from = span.start;
  const filled = [];
  for (const piece of [...stands, { start: span.end, end: span.end }]) {
    if (piece.start - from > LEAST - 1e-6) filled.push({ ...fill, id: `${fill.name}@${Number(from.toFixed(4))}`, start: from, end: piece.start });
    from = Math.max(from, piece.end);
  }
  return filled;
}

/** The names that have a row: what plays in view, what the span says, what was added; asked first, then by share of time, drums last. */
export function rowsShown(cells, { view, span = null, words = [], added = [] }) {
  const time = new Map();
  for (const cell of cells) if (cell.plays) time.set(cell.name, (time.get(cell.name) ?? 0) + cell.end - cell.start);
  const near = [view, span].filter(Boolean);
  const there = cells.filter((cell) => near.some((part) => overlap(cell, part) > 1e-6)).map(({ name }) => name);
  const names = [...new Set([...words.map(({ name }) => name), ...there, ...added])];
  const asked = (name) => Boolean(span && pieces(cells, name, span, words).some(({ inside, state }) => inside && state === 'asked'));
  const first = new Map(names.map((name) => [name, asked(name) ? 1 : 0]));
  const under = (name) => (name === 'drums' ? 1 : 0); // as scores have it
  return names.sort((a, b) => first.get(b) - first.get(a) || under(a) - under(b) || (time.get(b) ?? 0) - (time.get(a) ?? 0) || (a < b ? -1 : 1));
}

/** Names in the order that they had, new ones behind those that they follow: rows do not jump while one works on them. */
export function inOrder(names, before) {
  const known = before.filter((name) => names.includes(name));
  const out = [...known];
  names.forEach((name, i) => {
    if (known.includes(name)) return;
    const ahead = names.slice(0, i).reverse().find((other) => out.includes(other));
    out.splice(ahead ? out.indexOf(ahead) + 1 : 0, 0, name);
  });
  return out;
}

// ---- folded: who plays together

/**
 * Stretches with the same players between `low` and `high`: [{start, end, inside, players: [{name, asked}], absent: [names]}].
 * Names in the order of `rows`, asked ones first; the active span's borders divide. Empty stretches are left out.
 */
export function stretches(cells, rows, { low, high, span = null, words = [] }) {
  const all = rows.map((name) => pieces(cells, name, span, words).filter(({ state }) => state !== 'open'));
  const borders = [low, high, ...(span ? [span.start, span.end] : []), ...all.flat().flatMap(({ start, end }) => [start, end])];
  const edges = [...new Set(borders)].filter((beat) => beat >= low - 1e-6 && beat <= high + 1e-6).sort((a, b) => a - b);
  const out = [];
  for (let i = 1; i < edges.length; i++) {
    const here = together(all, edges[i - 1], edges[i], span);
    if (!here) continue;
    const last = out.at(-1);
    if (last && goesOn(last, here)) last.end = here.end;
    else out.push(here);
  }
  return out;
}

/** Who plays and who is absent from one border to the next; null where nobody is named, or it is too short. */
function together(rows, start, end, span) {
  if (end - start < LEAST) return null;
  const here = rows.map((row) => row.find((piece) => piece.start < end - 1e-6 && piece.end > start + 1e-6)).filter(Boolean);
  const inside = Boolean(span && start >= span.start - 1e-6 && end <= span.end + 1e-6);
  const players = here.filter(({ state }) => state !== 'none').map(({ name, state }) => ({ name, asked: inside && state === 'asked' }))
    .sort((a, b) => Number(b.asked) - Number(a.asked));
  const absent = here.filter(({ state }) => state === 'none').map(({ name }) => name);
  return players.length || absent.length ? { start, end, inside, players, absent } : null;
}

const goesOn = (last, next) => last.inside === next.inside && Math.abs(last.end - next.start) < LEAST + 1e-6
  && JSON.stringify([last.players, last.absent]) === JSON.stringify([next.players, next.absent]);

/** What a folded cell says, in parts [{words, asked}], as much as `fits(words)`: long names, then short ones, then "+2". */
export function cellWords({ players, absent }, shortOf, fits) {
  const parts = (nameOf, count = Infinity) => {
    const all = [...players.map(({ name, asked }) => ({ words: nameOf(name), asked })), ...absent.map((name) => ({ words: `no ${nameOf(name)}`, asked: false }))];
    const kept = all.slice(0, count);
    if (kept.length) kept[0] = { ...kept[0], words: capital(kept[0].words) };
    return kept.length < all.length ? [...kept, { words: `+${all.length - kept.length}`, asked: false }] : kept;
  };
  const whole = players.length + absent.length;
  const tries = [parts((name) => name), parts(shortOf), ...Array.from({ length: whole - 1 }, (_, i) => parts(shortOf, whole - 1 - i))];
  return tries.find((found) => fits(joined(found))) ?? tries.at(-1);
}

/** "Flute, bass, no drums"; what was left out stands behind without a comma. */
export const joined = (parts) => parts.map(({ words }, i) => (i && !words.startsWith('+') ? `, ${words}` : i ? ` ${words}` : words)).join('');

/** "flute and upright bass, no drums": for a screen reader. */
export function spoken({ players, absent }) {
  const names = players.map(({ name }) => name);
  const said_ = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? 'no one');
  return [said_, ...absent.map((name) => `no ${name}`)].join(', ');
}

// ---- what was heard again in a take

/** Whether a player that was heard is who a row names: the same, or a member of the family. */
const isOf = (heard, name, familyOf) => heard === name || familyOf(heard) === name;

/** {share, sure, seconds} of a stretch in which a row's player was heard: parts are [{name, start, end, sure}], all in seconds. */
export function heardIn(parts, name, { start, end }, familyOf = () => null) {
  const found = parts.filter((part) => isOf(part.name, name, familyOf) && overlap(part, { start, end }) > 0).sort((a, b) => a.start - b.start);
  let [seconds, to, weight] = [0, start, 0];
  for (const part of found) {
    const from = Math.max(to, part.start);
    const more = Math.min(part.end, end) - from;
    if (more <= 0) continue;
    seconds += more;
    weight += more * (part.sure ?? 1);
    to = from + more;
  }
  return { share: end > start ? seconds / (end - start) : 0, sure: seconds ? weight / seconds : 1, seconds };
}

/** What a take has of a row's state, in words. */
export function heardWords(state, share) {
  if (state === 'none') return share < 0.2 ? 'gone' : 'still plays';
  if (state === 'asked') return share >= 0.6 ? 'heard' : share >= 0.2 ? 'faint' : 'not heard';
  return share >= 0.2 ? 'heard' : 'not heard';
}

// ---- the catalogue

const FAR = 0.5; // share of a word's letters that may differ

/** How many letters differ between two words: insertions, deletions, exchanges. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/**
 * What a typed word may mean in the catalogue [{name, family, short, also}]: {found: [entries], nearest: [entries]}.
 * Found: the word begins the name, begins one of its words, is another spelling, or stands inside it, in that
 * order. Nearest, where nothing is found: what is spelt much like it, else all families.
 */
export function searched(typed, catalogue) {
  const word = typed.trim().toLowerCase();
  if (!word) return { found: catalogue, nearest: [] };
  const rank = ({ name, short = '', also = [] }) => {
    const plain = name.toLowerCase();
    if (plain === word) return -1;
    if (plain.startsWith(word)) return 0;
    if (plain.split(/[\s-]/).some((piece) => piece.startsWith(word))) return 1;
    if ([short, ...also].some((other) => other && other.toLowerCase().startsWith(word))) return 2;
    return plain.includes(word) ? 3 : 9;
  };
  const ranked = catalogue.map((entry, i) => ({ entry, i, rank: rank(entry) })).filter((one) => one.rank < 9)
    .sort((a, b) => a.rank - b.rank || a.i - b.i).map(({ entry }) => entry);
  if (ranked.length) return { found: ranked, nearest: [] };
  const far = ({ name, also = [] }) => Math.min(...[name, ...also].flatMap((one) => [one, ...one.split(' ')]).map((one) => distance(word, one.toLowerCase()) / Math.max(word.length, one.length)));
  const near = catalogue.map((entry) => ({ entry, far: far(entry) })).filter((one) => one.far <= FAR).sort((a, b) => a.far - b.far).slice(0, 3);
  if (near.length) return { found: [], nearest: near.map(({ entry }) => entry) };
  const families = new Set(catalogue.map(({ family }) => family));
  return { found: [], nearest: catalogue.filter(({ name }) => families.has(name)) };
}

/** What stands at the right of an option: an instrument's family, or how many a family has. */
export function kindOf({ name, family }, catalogue) {
  const members = catalogue.filter((other) => other.family === name && other.name !== name).length;
  return members ? `any of ${members}` : family && family !== name ? capital(family) : '';
}
