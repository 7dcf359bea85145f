/**
 * The page around the elements: keys, view, theme, and the bar's buttons that only the browser knows about.
 * Touches Gradio's controls by their `elem_id` alone.
 */

import { desk } from './desk.js';
import { actionOf, worksInFields } from './keys.js';
import { acceptDrops } from './upload.js';

const stage = () => document.querySelector('#stage');
const press = (id) => document.querySelector(`#${id} button, button#${id}`)?.click();

/** The focused element, through shadow roots. */
function focused() {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
}

const isField = (node) => Boolean(node?.matches?.('input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable=true]'));
/** A focused button or box uses Space and Enter itself. */
const isControl = (node) => Boolean(node?.matches?.('button, input, a, [role=slider], summary'));

const PAGE_ACTIONS = {
  track: ({ digit }) => desk.hearDigit(digit),
  keep: () => desk.keep(),
  seed: () => desk.anotherSeed(),
  compare: () => desk.setView(desk.view === 'edit' ? 'listen' : 'edit'),
  inpaint: () => press('inpaint'),
  generate: () => press('generate'),
  cancel: () => desk.send('cancel', {}),
  undo: () => press('undo'),
  redo: () => press('redo'),
};

function onKey(event) {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const node = focused();
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !isField(node);
  if (plain && desk.view === 'edit' && desk.timeline?.drums.tap(event.key)) return void event.preventDefault();
  const found = actionOf(event);
  if (!found) return;
  if (isField(node) && !worksInFields(found.action)) return;
  const onCell = node?.classList?.contains('cell');
  if (isControl(node) && !onCell && ['palette', 'play'].includes(found.action)) return;
  if (found.action === 'play' && onCell) node.blur();
  let done = true;
  if (PAGE_ACTIONS[found.action]) PAGE_ACTIONS[found.action](found);
  else if (desk.view === 'edit' || EVERYWHERE.includes(found.action)) done = desk.timeline?.act(found.action);
  else if (found.action === 'escape') desk.setView('edit');
  if (done) event.preventDefault();
}

/** What the timeline does even while Listen hides it; the rest would edit what one does not see. */
const EVERYWHERE = ['play', 'rewind', 'loop', 'help'];

/** View and theme follow the desk, and the desk them. */
function watchBar() {
  document.addEventListener('change', (event) => {
    const input = event.target;
    if (input.closest?.('#view') && input.type === 'radio') desk.setView(input.value === 'Listen' ? 'listen' : 'edit');
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('#export')) saveClip();
    if (event.target.closest?.('#tap')) desk.tapTempo();
    if (!event.target.closest?.('#theme')) return;
    const dark = document.body.classList.toggle('dark');
    localStorage.setItem('inlay-theme', dark ? 'dark' : 'light');
  });
  desk.addEventListener('change', ({ detail }) => {
    stage().dataset.view = desk.view;
    if (detail.what === 'view') {
      const wanted = desk.view === 'listen' ? 'Listen' : 'Edit';
      const radio = document.querySelector(`#view input[value="${wanted}"]`);
      if (radio && !radio.checked) radio.click();
    }
    if (detail.what === 'doc') name();
    if (detail.what === 'prompt') type('#prompt textarea', detail.words);
  });
}

/** Export: the clip as a WAV under its own name (the server's answer would name it by its hash, hence the blob). */
async function saveClip() {
  const { clip } = desk.doc;
  if (!clip) return;
  const response = await fetch(new URL(clip.export, document.baseURI));
  if (!response.ok) return desk.timeline?.say(`${clip.label}: could not be exported (${response.status}); try again.`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = clip.export_name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Undo and Redo say what they would do. */
function name() {
  for (const [id, verb, keys] of [['undo', 'Undo', 'Ctrl Z'], ['redo', 'Redo', 'Ctrl ⇧Z']]) {
    const button = document.querySelector(`#${id} button, button#${id}`);
    if (!button) continue;
    const words = [verb, desk.doc[id]].filter(Boolean).join(' ');
    button.title = `${words} (${keys})`;
    button.setAttribute('aria-label', words);
  }
  for (const [id, words] of [['theme', 'Light or dark'], ['tap', 'Tap the tempo (T)']]) {
    const button = document.querySelector(`#${id} button, button#${id}`);
    button?.setAttribute('aria-label', words);
    if (button) button.title = words;
  }
}

/** Types into a Gradio field as a user would. */
function type(selector, words) {
  const field = document.querySelector(selector);
  if (!field) return;
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, words);
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  field.dispatchEvent(new KeyboardEvent('keypress', { key: 'a', bubbles: true })); // what Gradio listens to
  field.focus();
}

function start() {
  if (window.inlay) return;
  const theme = localStorage.getItem('inlay-theme');
  if (theme) document.body.classList.toggle('dark', theme === 'dark');
  document.addEventListener('keydown', onKey);
  stage().dataset.view = desk.view;
  acceptDrops(document.body, stage());
  watchBar();
  window.inlay = { desk };
}

start();
