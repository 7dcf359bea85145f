/**
 * Whether the wish came true, in words: what was asked of a take and what the listener heard of it. A wish is
 * {kind, name, plays, share, sure, seconds, words}, as the server has it. Pure functions.
 */

import { capital, isMany } from '../music/band.js';

const MOST = 3; // parts of a card's line
const LANE = { fine: 0.75, partly: 0.4 }; // agreement of a lane

const isPlayer = ({ kind }) => kind === 'instrument';

/** 0 = as asked, 1 = partly, 2 = missing. */
export function level({ kind, plays, share }) {
  if (kind !== 'instrument') return share >= LANE.fine ? 0 : share >= LANE.partly ? 1 : 2;
  if (plays) return share >= 0.6 ? 0 : share >= 0.2 ? 1 : 2;
  return share < 0.2 ? 0 : 2;
}

/** How far one came true, 0..1. */
export const granted = (wish) => (isPlayer(wish) && !wish.plays ? 1 - wish.share : wish.share);

export const ICONS = ['check', 'half', 'warn'];

/** "flute heard", "drums still play", "melody 78 %" */
export function part(wish) {
  const words = isPlayer(wish) && !wish.plays && isMany(wish.name) ? wish.words.replace('still plays', 'still play') : wish.words;
  return `${wish.name} ${words}`;
}

/** Worst first; players before lanes where they are alike. */
export const ordered = (wishes) => wishes.map((wish, i) => ({ wish, i, at: level(wish) }))
  .sort((a, b) => b.at - a.at || Number(isPlayer(b.wish)) - Number(isPlayer(a.wish)) || a.i - b.i).map(({ wish }) => wish);

/** The figures of a wish, for a tooltip: "flute: 3.2 of 3.5 s, 91 % sure". */
export function figures({ kind, name, plays, share, sure, seconds }) {
  if (kind !== 'instrument') return `${name}: ${Math.round(share * 100)} % as asked${seconds ? `, over ${seconds.toFixed(1)} s` : ''}`;
  return `${name}${plays ? '' : ', asked to be absent'}: ${(share * seconds).toFixed(1)} of ${seconds.toFixed(1)} s, ${Math.round(sure * 100)} % sure`;
}

/** All of it in one line of little room: the worst alone, or that all was heard. */
function brief(wishes) {
  const lane = wishes.find((wish) => !isPlayer(wish));
  const [worst] = wishes;
  if (level(worst) === 2) return part(worst);
  const players = wishes.filter(isPlayer);
  if (!players.length) return part(worst);
  const first = players.some((wish) => level(wish)) ? part(players[0]) : 'wish heard';
  return lane ? `${first}, ${part(lane)}` : first;
}

/** "the flute", "the flute and the drums": what is being listened for. */
function awaited(wishes) {
  const names = wishes.map(({ name }) => `the ${name}`);
  if (!names.length) return 'what was asked';
  return names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(' and ');
}

/**
 * The wish line of a take: {icon, words, brief, title, again}; null where nothing was asked of it. `again` = it
 * can be judged once more.
 */
export function wishLine({ state, wish = [], wishState = '' }) {
  if (state !== 'ready') return null;
  if (wishState === 'pending') return { icon: 'clock', words: `Listening for ${awaited(wish)}…`, brief: 'Listening…', title: '', again: false };
  if (wishState === 'failed') return { icon: 'warn', words: 'Could not be judged.', brief: 'Not judged.', title: 'The take is as good as any; only what was asked could not be heard again', again: true };
  if (wishState === 'unknown') {
    const names = wish.map(({ name }) => name);
    const words = names.length ? `Not judged: ${names.join(', ')} ${names.length > 1 || isMany(names[0]) ? 'are' : 'is'} not known to the listener` : 'Not judged';
    return { icon: 'wave', words, brief: 'Not judged', title: words, again: false };
  }
  if (!wish.length) return null;
  const all = ordered(wish);
  return {
    icon: ICONS[level(all[0])],
    words: capital(all.slice(0, MOST).map(part).join(', ')),
    brief: capital(brief(all)),
    title: all.map(figures).join('\n'),
    again: false,
  };
}

/** A line for each thing that was asked, worst first, at most `most`: [{icon, words, title}]; what is left is "+2". */
export function wishList({ state, wish = [], wishState = '' }, most = 4) {
  if (state !== 'ready') return [];
  if (wishState || !wish.length) {
    const line = wishLine({ state, wish, wishState });
    return line ? [line] : [];
  }
  const all = ordered(wish);
  const kept = all.slice(0, all.length > most ? most - 1 : most);
  const lines = kept.map((one) => ({ icon: ICONS[level(one)], words: capital(part(one)), title: figures(one), again: false }));
  const rest = all.slice(kept.length);
  return rest.length ? [...lines, { icon: ICONS[level(rest[0])], words: `+${rest.length}`, title: rest.map(figures).join('\n'), again: false }] : lines;
}

/** "flute faint, drums still play, melody 71 percent": for a screen reader. */
export const wishSpoken = (track) => (track.wishState ? (wishLine(track)?.words ?? '') : ordered(track.wish ?? []).map(part).join(', ')).replaceAll(' %', ' percent');

// ---- the order of takes

const isReady = ({ kind, state }) => kind === 'take' && state === 'ready';
const LATER = { ready: 0, failed: 1, cancelled: 1, interrupted: 1, running: 2, waiting: 3 };

/** How far a take's wishes came true, 0..1; null where it was not judged. */
export const agreement = ({ wish = [], wishState = '' }) => (wishState || !wish.length ? null : wish.reduce((sum, one) => sum + granted(one), 0) / wish.length);

/** The worst seam of a take, 0..1; a clip of its own has none. */
export const roughness = ({ seams = [] }) => Math.max(0, ...seams.map(({ score }) => score));

/** Whether there is something to sort by: two ready takes, and one of them with a wish. */
export const sortable = (tracks) => tracks.filter(isReady).length > 1 && tracks.some((track) => isReady(track) && agreement(track) !== null);

/**
 * Tracks in the order in which they are shown: the original, ready takes by `by` ('wish' | 'smoothest'), then
 * what came to nothing, what runs and what waits. Where there is nothing to sort by, the order of making.
 */
export function sorted(tracks, by) {
  if (!sortable(tracks)) return tracks;
  const miss = (track) => 1 - (agreement(track) ?? -1);
  const keys = by === 'smoothest' ? [roughness, miss] : [miss, roughness];
  const place = (track) => (track.kind === 'take' ? LATER[track.state] ?? 1 : -1);
  return tracks.map((track, i) => ({ track, i })).sort((a, b) => {
    const apart = place(a.track) - place(b.track);
    if (apart || !isReady(a.track)) return apart || a.i - b.i;
    const [first, second] = keys.map((key) => key(a.track) - key(b.track));
    return (Math.abs(first) > 1e-6 ? first : 0) || (Math.abs(second) > 1e-6 ? second : 0) || a.i - b.i;
  }).map(({ track }) => track);
}

/**
 * The order to show now, where `before` (ids) is shown: while a run goes on, or the pointer is on the cards, what
 * is there stays where it is and new ones come last; else they are sorted.
 */
export function settled(tracks, before, by, held) {
  if (!held || !before.length) return sorted(tracks, by);
  const at = new Map(before.map((id, i) => [id, i]));
  return tracks.map((track, i) => ({ track, i })).sort((a, b) => (at.get(a.track.id) ?? 1e6) - (at.get(b.track.id) ?? 1e6) || a.i - b.i).map(({ track }) => track);
}
