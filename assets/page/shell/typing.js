/**
 * What stands in Gradio's own fields and may not have been sent: noted as it is typed, so that a page that is being
 * closed can send it in a request that outlives it. Knows the fields by their `elem_id` alone.
 */

import { newId } from '../music/cells.js';
import { desk } from '../store/desk.js';
import { Typed, worded } from '../store/typed.js';

const JUST_TYPED = 3000; // ms
const TYPED = { // fields of Gradio's own, and the edits that they are
  '#prompt textarea': () => ({ name: 'set_prompt', payload: { prompt: desk.typed.words, span: desk.typed.span } }),
  '#name input': (name) => ({ name: 'set_name', payload: { name } }),
  // Gradio sends a number only once its field is left.
  '#tempo input': (bpm) => ({ name: 'set_grid', payload: { bpm: number(bpm) } }),
  '#seed input': (seed) => ({ name: 'set_seed', payload: { seed: number(seed) } }),
  '#length input': (seconds) => ({ name: 'set_length', payload: { seconds: number(seconds) } }),
  ':is(#strength, #advanced) input[type=number]': (value, field) => ({
    name: 'set_settings', payload: { [field.closest('.block[id]').id.replaceAll('-', '_')]: number(value) },
  }),
};
const number = (words) => (words.trim() ? Number(words) : null);

/** A span whose words are being typed has words of its own from the first letter on. */
function ownWords(id, prompt) {
  const span = desk.doc.spans.find((known) => known.id === id);
  if (!span || span.prompt !== null) return;
  desk.doc = { ...desk.doc, spans: desk.doc.spans.map((one) => (one === span ? { ...one, prompt } : one)) };
  desk.tell('doc');
}

const when = new Map(); // field -> when something was typed into it last

/** Listens for the life of the page. */
export function followTyping() {
  desk.typed = new Typed();
  desk.worded = () => worded(desk.doc);
  document.addEventListener('input', ({ target }) => {
    if (target.matches?.(Object.keys(TYPED).join())) when.set(target, performance.now());
    if (target.matches?.('#prompt textarea')) {
      desk.typed.note(target.value, desk.doc);
      ownWords(desk.typed.span, target.value);
    }
  });
}

/** The edits of fields that were typed into just now; `last` had the focus. */
export function unsent(last) {
  const edits = [];
  for (const [field, typedAt] of when) {
    const place = Object.keys(TYPED).find((selector) => field.matches(selector));
    // Gradio may not have sent it yet; the same once more changes nothing.
    const fresh = (field === last && field.type === 'number') || performance.now() - typedAt < JUST_TYPED;
    if (place && fresh) edits.push({ rev: 0, id: newId('e') + newId(''), ...TYPED[place](field.value, field) });
  }
  return edits;
}
