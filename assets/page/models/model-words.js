/** Sizes, times and states of models in words. Knows no element. */

/** Bytes for people: 2.4 GB, 40 MB. */
export function sizeWords(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`;
}

/** Seconds that are left: "about 4 min left". */
export function leftWords(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s left`;
  return seconds < 5400 ? `about ${Math.round(seconds / 60)} min left` : `about ${Math.round(seconds / 3600)} h left`;
}

export const percent = (share) => `${Math.round(100 * share)} %`;

/** How a download goes, in words. */
export function stateWords({ state, done, total, left }) {
  const at = total ? percent(done / total) : '0 %';
  const words = {
    asking: 'Asking the hub…',
    getting: [at, leftWords(left)].filter(Boolean).join(', '),
    converting: [total ? `Converting, ${at}` : 'Converting…', leftWords(left)].filter(Boolean).join(', '),
    pausing: 'Pausing…',
    cancelling: 'Cancelling…',
    paused: `Paused at ${at}`,
  };
  return words[state] ?? '';
}

/** How the loading of a model goes. */
export const loadingWords = ({ done, total, stopping }) => (stopping ? 'Cancelling…' : `Loading into memory, ${percent(total ? done / total : 0)}`);

/** Why the hub does not let one have a model, and what would do. */
export function refusalWords(login) {
  if (!login?.where) return 'Its page asks for consent: accept the terms there, and log in';
  return 'The login was refused: accept the terms on its page first, with the same account';
}

/** For which engines a model is used: "AR", "FM" or both; `own` is the server's, which an empty choice means. */
export function uses({ name, own, slots }, { arFrom, fmFrom }) {
  const serves = { ar: arFrom, fm: fmFrom };
  return ['ar', 'fm'].filter((slot) => slots.includes(slot) && (serves[slot] === name || (own && !serves[slot])));
}

/** Why a model cannot stand in a slot; "" where it can. */
export function whyNot(row, slot, memory = 0) {
  if (!row.slots.includes(slot)) return slot === 'ar' ? 'no AR' : 'no FM';
  if (row.state === 'here' && shortOf(row, memory)) return 'does not fit';
  return { here: '', damaged: 'damaged', unusable: 'not usable here' }[row.state] ?? 'to get';
}

/** Bytes that a run on a model lacks even where nothing else is loaded; 0 where it fits, or nobody knows. */
export const shortOf = ({ need, engines }, memory) => (memory > 0 && engines?.length ? Math.max(0, need - memory) : 0);

/** How much is short, and which other model, for as many of the same engines as can be, fits. */
export function shortWords(row, rows, memory) {
  const shared = (other) => other.slots.filter((slot) => row.slots.includes(slot)).length;
  const fits = rows.filter((other) => other.name !== row.name && shared(other) && !shortOf(other, memory))
    .sort((a, b) => shared(b) - shared(a) || b.need - a.need)[0];
  return `${sizeWords(shortOf(row, memory))} short.${fits ? ` ${fits.title} fits` : ''}`;
}

/** Whether getting it is asked about first. */
export const wantsConsent = ({ commercial, gated, size }, large) => !commercial || gated || size > large;

/** What is here comes first, then what comes, then the rest, each as the server has them. */
export function ordered(rows, downloads) {
  const rank = ({ name, state }) => (state === 'to get' && !downloads[name] ? 2 : state === 'here' ? 0 : 1);
  return rows.map((row, at) => ({ row, at })).sort((a, b) => rank(a.row) - rank(b.row) || a.at - b.at).map(({ row }) => row);
}
