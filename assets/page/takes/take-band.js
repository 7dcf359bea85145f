/** Who was heard in a take, bar by bar, against who was asked for; and who plays in the original. Pure functions. */

import { capital, heardIn } from '../music/band.js';
import { beatsToSeconds, secondsToBeats } from '../music/time.js';

const PLAYS = 0.3; // share of a bar that makes a player worth its name there

/**
 * The bars of a take's span: [{from, to, players: "Flute, bass", asked: "asked flute, no drums"}] in seconds;
 * `asked` names what is missing there, or should not be there, "" where all is as asked.
 */
export function bandByBar({ region, band = [], wish = [] }, grid, { shortOf = (name) => name, familyOf = () => null } = {}) {
  if (!region || !band.length) return [];
  const bars = [];
  const first = Math.floor(secondsToBeats(grid, region.start) / grid.beats_per_bar + 1e-6);
  for (let bar = first; ; bar++) {
    const from = Math.max(region.start, beatsToSeconds(grid, bar * grid.beats_per_bar));
    const to = Math.min(region.end, beatsToSeconds(grid, (bar + 1) * grid.beats_per_bar));
    if (from >= region.end - 1e-6) break;
    if (to - from > 0.05) bars.push(barOf({ start: from, end: to }));
  }
  return bars;

  function barOf(bar) {
    const share = (name) => heardIn(band, name, bar, familyOf).share;
    const names = [...new Set(band.map(({ name }) => name))].map((name) => ({ name, share: share(name) }))
      .filter((one) => one.share >= PLAYS).sort((a, b) => b.share - a.share);
    const players = wish.filter(({ kind }) => kind === 'instrument');
    const missing = players.filter(({ name, plays }) => plays && share(name) < 0.2).map(({ name }) => shortOf(name));
    const extra = players.filter(({ name, plays }) => !plays && share(name) >= PLAYS).map(({ name }) => `no ${shortOf(name)}`);
    const wrong = [...missing, ...extra];
    return {
      from: bar.start,
      to: bar.end,
      players: capital(names.map(({ name }) => shortOf(name)).join(', ')) || 'No one',
      asked: wrong.length ? `asked ${wrong.join(', ')}` : '',
    };
  }
}

/** What was asked of a group's takes: {players, absent} as of a folded cell; null where no player was. */
export function askedOf(tracks) {
  const wishes = new Map();
  for (const { wish = [] } of tracks) for (const one of wish) if (one.kind === 'instrument') wishes.set(one.name, one.plays);
  if (!wishes.size) return null;
  const of = (wanted) => [...wishes].filter(([, plays]) => plays === wanted).map(([name]) => name);
  return { players: of(true).map((name) => ({ name, asked: true })), absent: of(false) };
}

/** Who plays between two times: "Electric piano, bass, drums". */
export function playersIn(cells, { start, end }, grid, shortOf = (name) => name) {
  const [from, to] = [start, end].map((seconds) => secondsToBeats(grid, seconds));
  const time = new Map();
  for (const { name, plays, start: begin, end: finish } of cells) {
    const both = Math.min(finish, to) - Math.max(begin, from);
    if (plays && both > 0.05) time.set(name, (time.get(name) ?? 0) + both);
  }
  const under = (name) => (name === 'drums' ? 1 : 0);
  return capital([...time].sort((a, b) => under(a[0]) - under(b[0]) || b[1] - a[1]).map(([name]) => shortOf(name)).join(', '));
}
