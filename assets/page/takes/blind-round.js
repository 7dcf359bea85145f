/**
 * One round of blind listening: which takes stand as A, B, C, what was heard of each, what they were given.
 * A plain value with pure functions, so that it can be kept across a reload. Times in seconds.
 */

export const SCALES = [
  { id: 'smoothness', name: 'Transition smoothness', low: 'Clearly cut', high: 'Cannot hear it' },
  { id: 'match', name: 'Audio match', low: 'Another song', high: 'Same recording' },
];
export const LETTERS = 'ABCDE';
export const ORIGINAL = 'original'; // the id under which the untouched original is rated
const BIN = 0.1; // seconds

/** A new round of takes {id}, shuffled by `random`; a loop [start, end) has to be heard of each. */
export function newRound(ids, loop, random = Math.random) {
  const order = [...ids];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const bins = Math.max(1, Math.ceil((loop.end - loop.start) / BIN - 1e-6));
  return { order, loop, ratings: {}, heard: Object.fromEntries(order.map((id) => [id, '0'.repeat(bins)])), revealed: false };
}

/**
 * The round after a take sounded for `elapsed` seconds, at whose ends the playhead stood `from` and `to`: once
 * straight on or round the loop. A playhead that was set elsewhere meanwhile counts where it is.
 */
export function hear(round, id, from, to, elapsed) {
  const bins = round.heard[id];
  if (bins === undefined) return round;
  const { start, end } = round.loop;
  const near = (seconds) => Math.abs(seconds - elapsed) < 0.15;
  const parts = to >= from && near(to - from) ? [[from, to]]
    : to < from && near(end - from + to - start) ? [[from, end], [start, to]] : [[to, to]];
  const heard = [...bins];
  for (const [a, b] of parts) {
    const bin = (time) => Math.floor((time - start) / BIN + 1e-6);
    for (let i = Math.max(0, bin(a)); i <= Math.min(bin(b), heard.length - 1); i++) heard[i] = '1';
  }
  const changed = heard.join('');
  return changed === bins ? round : { ...round, heard: { ...round.heard, [id]: changed } };
}

/** Seconds of a take that were heard. */
export const secondsHeard = (round, id) => {
  const total = round.loop.end - round.loop.start;
  const bins = round.heard[id];
  return (total * [...bins].filter((bit) => bit === '1').length) / bins.length;
};

export const isOpen = (round, id) => !round.heard[id].includes('0');
export const isRated = (round, id) => SCALES.every(({ id: scale }) => round.ratings[id]?.[scale]);

/** The round with a rating of 1 to 10; nothing changes while the take is locked or after the vote. */
export function rate(round, id, scale, value) {
  if (round.revealed || !isOpen(round, id) || !(value >= 1 && value <= 10)) return round;
  return { ...round, ratings: { ...round.ratings, [id]: { ...round.ratings[id], [scale]: value } } };
}

/** Why one cannot vote yet, empty when one can: "Hear and rate take C to vote". */
export function missing(round) {
  const left = round.order.filter((id) => !isRated(round, id));
  if (!left.length) return '';
  const letters = left.map((id) => LETTERS[round.order.indexOf(id)]);
  const names = letters.length > 1 ? `${letters.slice(0, -1).join(', ')} and ${letters.at(-1)}` : letters[0];
  const verb = left.every((id) => isOpen(round, id)) ? 'Rate' : 'Hear and rate';
  return `${verb} take${letters.length > 1 ? 's' : ''} ${names} to vote`;
}

/** What the vote sends. */
export const ballot = (round) => ({
  ratings: round.order.map((id) => ({ take: id, smoothness: round.ratings[id].smoothness, match: round.ratings[id].match })),
  matched: true,
});
