/**
 * What the server says of the models, asked again each second while one comes, whether the sheet is open or not.
 * Whoever shows it listens for "models" of the desk.
 */

import { desk } from '../store/desk.js';

const AGAIN = 1000; // ms
let told = null; // as of `desk.models`
let timer = 0;

/** The newest answer, null before the first. */
export const models = () => told;

const going = ({ state }) => !['paused', 'failed'].includes(state);

/** Names of the models that come just now, onto the disk. */
export const coming = () => Object.entries(told?.downloads ?? {}).filter(([, one]) => going(one)).map(([name]) => name);

/** An answer has come: it is shown, and asked for again where something goes on. */
function take(answer) {
  clearTimeout(timer);
  if (answer && !answer.error) told = answer;
  if (coming().length) timer = setTimeout(() => { ask(); }, AGAIN);
  desk.tell('models', { error: answer?.error ?? '' });
  return answer;
}

/** Asks the server. */
export async function ask() {
  return take(await desk.models().catch(() => null));
}

/** Does something with a model, {act, name, path, agreed}; gives what is wrong with that, "" where nothing is. */
export async function act(data) {
  const answer = take(await desk.doModel(data).catch(() => ({ error: 'The server does not answer; try again.' })));
  return answer?.error ?? '';
}

/** How far all that comes is, 0..1, null where nothing comes. */
export function share() {
  const all = coming().map((name) => told.downloads[name]);
  const total = all.reduce((sum, one) => sum + one.total, 0);
  if (!all.length) return null;
  return total ? all.reduce((sum, one) => sum + one.done, 0) / total : 0;
}
