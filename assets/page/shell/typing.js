/**
 * What is typed into Gradio's own fields: an edit of the document like any other gesture, sent as it is typed (a
 * number once its field is left). A field that is being edited keeps what is typed, whatever the server answers to
 * something else meanwhile. Knows the fields by their `elem_id` alone.
 */

import { newId } from '../music/cells.js';
import { changed } from '../store/spans.js';
import { desk } from '../store/desk.js';
import { worded } from '../store/typed.js';

const number = (words) => (words.trim() ? Number(words) : null);
const TYPED = { // fields of Gradio's own, and the edits that they are
  '#prompt textarea': (prompt) => ({ name: 'set_prompt', payload: { prompt, span: worded(desk.doc) } }),
  '#name input': (name) => ({ name: 'set_name', payload: { name } }),
  '#tempo input': (bpm) => ({ name: 'set_grid', payload: { bpm: number(bpm) } }),
  '#seed input': (seed) => ({ name: 'set_seed', payload: { seed: number(seed) } }),
  '#length input': (seconds) => ({ name: 'set_length', payload: { seconds: number(seconds) } }),
  '#advanced input[type=number]': (value, field) => ({
    name: 'set_settings', payload: { [field.closest('.block[id]').id.replaceAll('-', '_')]: number(value) },
  }),
};
const SLID = '#strength input'; // Gradio sends it, some frames later; keeps what is turned as well

/** What an edit of a field shows on the timeline before the server has answered. */
const SHOWN = {
  set_prompt: ({ prompt, span }) => (span ? { spans: changed(desk.doc.spans, span, { prompt }) } : { prompt }),
  set_grid: (grid) => (Object.values(grid).every((value) => value > 0) ? { grid: { ...desk.doc.grid, ...grid } } : {}),
  set_key: ({ key }) => ({ key }),
  set_follow: ({ lanes }) => ({ follow: lanes }),
};

const held = new Map(); // field -> what was typed into it while it has the focus
const unread = new Set(); // fields of numbers that were typed into and not sent
let slid = null; // {strength}: what was turned and Gradio has not sent
let echo = false;

/** What was chosen in a field of Gradio's, `payload` false where that is nothing to be sent. */
export function choose(name, payload, how = 'chosen') {
  if (payload && 'strength' in payload) slid = null;
  if (payload) desk.edit(name, payload, SHOWN[name]?.(payload), how);
}

function edit(field) {
  const place = Object.keys(TYPED).find((selector) => field.matches(selector));
  unread.delete(field);
  const { name, payload } = TYPED[place](field.value, field);
  choose(name, payload, 'typed');
}

/** From now on a field takes no value from the server that would overwrite what is being typed. */
function hold(field) {
  const own = Object.hasOwn(field, 'value');
  held.set(field, field.value);
  if (own) return;
  const plain = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
  Object.defineProperty(field, 'value', {
    configurable: true,
    get: () => plain.get.call(field),
    set: (words) => {
      if (!held.has(field) || document.activeElement !== field) plain.set.call(field, words);
      else if (String(words) !== held.get(field)) queueMicrotask(() => keep(field)); // Gradio is told what stands there
    },
  });
}

function keep(field) {
  echo = true;
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  echo = false;
}

let shown = ''; // for whom words stand in the field

/** Another span has other words, at once: what is typed next must not go on where those of the last one end. */
function turnTo(doc) {
  const id = worded(doc);
  if (id === shown) return;
  shown = id;
  const field = document.querySelector('#prompt textarea');
  const words = doc.spans.find((span) => span.id === id)?.prompt ?? doc.prompt;
  if (!field || field.value === words) return;
  held.delete(field);
  field.value = words;
  keep(field);
}

/** Listens for the life of the page. */
export function followTyping() {
  desk.worded = () => worded(desk.doc);
  document.addEventListener('input', ({ target }) => {
    if (echo || !target.matches?.([...Object.keys(TYPED), SLID].join())) return;
    hold(target);
    if (target.matches(SLID)) {
      slid = { strength: number(target.value) };
      return;
    }
    if (target.type === 'number') unread.add(target);
    else edit(target);
  });
  document.addEventListener('change', ({ target }) => unread.has(target) && edit(target));
  document.addEventListener('focusout', ({ target }) => {
    held.delete(target);
    if (unread.has(target)) edit(target); // also what stood there before: an undo may not have been answered yet
  });
  // Undo is of a text while it is typed; whoever undoes from elsewhere, or draws, is done with the field.
  desk.addEventListener('change', ({ detail }) => {
    if (detail.what === 'hand') held.clear();
    if (detail.what === 'doc') turnTo(desk.doc);
  });
}

/** Sends the numbers whose fields were not left yet. */
export function sendTyped() {
  if (slid) choose('set_settings', slid);
  for (const field of unread) edit(field);
}

/** The edits of fields that were not sent; for a page that is being closed. */
export function unsent() {
  const edits = [...unread].map((field) => {
    const place = Object.keys(TYPED).find((selector) => field.matches(selector));
    return TYPED[place](field.value, field);
  });
  if (slid) edits.push({ name: 'set_settings', payload: slid });
  return edits.map((one) => ({ rev: 0, id: newId('e') + newId(''), ...one }));
}
