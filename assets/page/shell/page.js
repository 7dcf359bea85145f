/**
 * The page around the elements: keys, view, theme, and the bar's buttons that only the browser knows about.
 * Touches Gradio's controls by their `elem_id` alone.
 */

import { desk } from '../store/desk.js';
import { ENGINES } from '../store/engines.js';
import { icons } from '../parts/icons.js';
import { add, html } from '../parts/markup.js';
import { actionOf, worksInFields } from './keys.js';
import { listening } from '../store/listening.js';
import { whyNoClip, whyNoInpaint } from '../store/why.js';
import '../record/record.js';
import { download, showExports, showProjects, showSaveAs } from './project-menu.js';
import { showHelp } from './help.js';
import { showAbout } from '../guide/about.js';
import { showModels } from '../models/models.js';
import '../start/start.js';
import { choose } from './typing.js';
import { acceptDrops } from './upload.js';

const stage = () => document.querySelector('#stage');
const buttonOf = (id) => document.querySelector(`#${id} button, button#${id}`);
const press = (id) => {
  const button = buttonOf(id);
  if (button?.disabled && !desk.settled && RUNS.includes(id)) pressLater(button);
  else button?.click();
};

/** The focused element, through shadow roots. */
export function focused() {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
}

const isField = (node) => Boolean(node?.matches?.('input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable=true]'));
/** A focused button or box uses Space and Enter itself. */
const isControl = (node) => Boolean(node?.matches?.('button, input, a, [role=slider], summary'));

const PAGE_ACTIONS = {
  track: ({ digit }) => {
    if (desk.view === 'listen') listening.include(digit);
    desk.hearDigit(digit);
  },
  keep: () => desk.keep(),
  seed: () => desk.anotherSeed(),
  again: () => desk.again(),
  star: () => desk.star(),
  solo: () => desk.toggleSolo(),
  sort: () => desk.sortTakes(desk.sorting === 'wish' ? 'smoothest' : 'wish'),
  intent: () => desk.turnIntent(),
  compare: () => desk.setView(desk.view === 'edit' ? 'listen' : 'edit'),
  'save-as': () => showSaveAs(),
  export: () => desk.doc.clip && showExports(),
  inpaint: () => press('inpaint'),
  'inpaint-all': () => press('inpaint-all'),
  fix: () => press('auto'),
  generate: () => press('generate'),
  continue: () => press('continue'),
  intro: () => press('intro'),
  'make-loop': () => press('make-loop'),
  cancel: () => desk.cancel(),
  undo: () => desk.undo(),
  redo: () => desk.redo(),
  about: () => showAbout(),
  models: () => showModels(),
  record: () => desk.record?.toggle(),
};

const isCell = (node) => Boolean(node?.classList?.contains('cell'));

function onKey(event) {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
  const node = focused();
  if (takenByView(event, node)) return void event.preventDefault();
  const found = actionOf(event);
  if (!found || !isFree(found.action, node)) return;
  if (found.action === 'play' && isCell(node)) node.blur();
  if (desk.record?.answers(found.action) || perform(found)) event.preventDefault();
}

/** Whether a view has keys of its own that come before all actions: letters in the blind test, drums that are tapped. */
function takenByView(event, node) {
  if (isField(node)) return false;
  if (desk.view === 'blind') return desk.takes?.blind.key(event);
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  return plain && desk.view === 'edit' && desk.timeline?.drums.tap(event.key);
}

/** Whether a key means an action where the focus is, and may in this view. */
function isFree(action, node) {
  if (isField(node) && !worksInFields(action)) return false;
  if (isControl(node) && !isCell(node) && ['palette', 'play'].includes(action)) return false;
  return desk.view !== 'blind' || !NAMING.includes(action);
}

/** Does an action, wherever it belongs; false when nothing came of it. */
function perform(found) {
  const action = desk.view === 'listen' && found.action === 'delete' ? 'discard' : found.action;
  if (PAGE_ACTIONS[action]) PAGE_ACTIONS[action](found);
  else if (desk.view !== 'edit' && desk.takes?.act(action)) return true;
  else if (desk.view === 'edit' || EVERYWHERE.includes(action)) return desk.timeline?.act(action);
  else if (action === 'escape') desk.setView('edit');
  return true;
}

/** What the timeline does even while Listen hides it; the rest would edit what one does not see. */
const EVERYWHERE = ['play', 'rewind', 'loop', 'help'];

/** What would tell in the blind test who made a take, or change it unseen. */
const NAMING = ['track', 'keep', 'seed', 'again', 'star', 'solo', 'delete', 'match', 'difference', 'sort', 'intent'];
const VIEWS = { Edit: 'edit', Listen: 'listen', 'Blind test': 'blind' };

/** The bar's buttons that only the browser knows about, by their ids. */
const BUTTONS = {
  export: showExports,
  project: showProjects,
  keys: showHelp,
  mark: () => showAbout(),
  cancel: () => desk.cancel(),
  undo: () => desk.undo(),
  redo: () => desk.redo(),
  tap: () => desk.tapTempo(),
  drawer: () => document.querySelector('#page').classList.toggle('drawn'),
  theme: () => localStorage.setItem('inlay-theme', document.body.classList.toggle('dark') ? 'dark' : 'light'),
};

const RUNS = ['inpaint', 'auto', 'inpaint-all', 'generate', 'continue', 'intro', 'make-loop'];
const PRESSED = 15_000; // ms after which a press that nobody answers may be made again

/** What a press says at once, long before the server has: `data-busy` stands on the button until it has. */
function busy(button, words) {
  if (button.dataset.busy) return;
  button.dataset.busy = words;
  button.setAttribute('aria-busy', 'true');
  desk.takes?.announce(words);
  setTimeout(() => idle(button), PRESSED);
}

/** A run that is asked for before the span, just drawn, has been answered: it begins when it has been. */
function pressLater(button) {
  const answered = ({ detail }) => {
    if (detail.what !== 'doc' || !desk.settled) return;
    desk.removeEventListener('change', answered);
    requestAnimationFrame(() => requestAnimationFrame(() => { idle(button); button.click(); }));
  };
  busy(button, 'Starting…');
  desk.addEventListener('change', answered);
}

function idle(button) {
  delete button.dataset.busy;
  button.removeAttribute('aria-busy');
}

/** The buttons of runs: one that was pressed says so, and takes no second press. */
function watchPresses() {
  const pressed = (ids) => ids.map((id) => document.getElementById(id)).filter((button) => button?.dataset.busy);
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.(RUNS.map((id) => `#${id}`).join());
    if (!button || button.disabled) return;
    if (pressed(RUNS).length) return event.stopPropagation();
    if (button.id === 'generate') desk.firstSound.ask(desk.groups.flatMap(({ tracks }) => tracks));
    return busy(button, 'Starting…');
  }, { capture: true });
  desk.addEventListener('change', ({ detail }) => {
    if (detail.what === 'cancelling') busy(document.getElementById('cancel'), 'Cancelling…');
    if (detail.what === 'takes' && !desk.run) pressed(['cancel']).forEach(idle);
    if (desk.run || (detail.what === 'doc' && desk.settled)) pressed(RUNS).forEach(idle); // it runs, or says why not
  });
}

/** View and theme follow the desk, and the desk them. */
function watchBar() {
  document.addEventListener('change', (event) => {
    const input = event.target;
    if (input.closest?.('#view') && input.type === 'radio') desk.setView(VIEWS[input.value] ?? 'edit');
  });
  document.addEventListener('click', (event) => {
    for (const [id, answer] of Object.entries(BUTTONS)) if (event.target.closest?.(`#${id}`)) answer();
  });
  desk.addEventListener('change', ({ detail }) => {
    stage().dataset.view = document.querySelector('#page').dataset.view = desk.view;
    if (detail.what === 'view') {
      const wanted = Object.keys(VIEWS).find((words) => VIEWS[words] === desk.view);
      const radio = document.querySelector(`#view input[value="${wanted}"]`);
      if (radio && !radio.checked) radio.click();
    }
    if (detail.what === 'takes') tip();
    if (detail.what === 'doc') {
      name();
      furnish();
    }
    if (detail.what === 'press') press(detail.id);
    if (detail.what === 'projects') showProjects();
    if (detail.what === 'about') showAbout(detail.page);
    if (detail.what === 'show-models') showModels();
    if (detail.what === 'prompt') type('#prompt textarea', detail.words);
    if (detail.what === 'generate') generate(detail);
  });
}

/** A clip from words of some length: typed into the panel, so that they stand there afterwards. */
async function generate({ words, seconds }) {
  type('#prompt textarea', words);
  type('#length input', String(seconds));
  await new Promise((resolve) => { setTimeout(resolve); }); // Gradio takes a field's value up with the next turn
  press('generate');
}

let furnished = false;
/** What Gradio has no control for: dice at the seed, and on a phone the grip of the sheet. Once, when all is there. */
function furnish() {
  const [seed, box, ...rest] = ['#seed', '#prompt-box', '#bar', '#foot', '#advanced', '#knobs'].map((place) => document.querySelector(place));
  if (furnished || !seed?.querySelector('input') || !box || rest.includes(null)) return;
  furnished = true;
  add(seed, html`<button class="dice" title="Another seed, by chance" aria-label="Another seed, by chance">${icons.dice}</button>`);
  add(box, html`<button class="unfold" title="All settings, or the short sheet" aria-label="All settings, or the short sheet">${icons.down}</button>`);
  seed.querySelector('.dice').addEventListener('click', () => type('#seed input', String(Math.floor(Math.random() * 10_000))));
  box.querySelector('.unfold').addEventListener('click', () => document.querySelector('#page').classList.toggle('drawn'));
  add(document.querySelector('#bar'), html`<inlay-model id="bar-model"></inlay-model><button id="keys" title="Keys (?)" aria-label="Keys">?</button>`); // where the timeline's and the panel's own are not
  new MutationObserver(tip).observe(document.querySelector('#foot'), { subtree: true, attributes: true, attributeFilter: ['disabled'] }); // Gradio turns them on and off in its own time
  const closed = document.querySelector('#advanced > button:not(.open)');
  showWhenOpened(document.querySelector('#advanced'), document.querySelector('#knobs'));
  if (closed && matchMedia('(min-width: 2000px) and (min-height: 1200px)').matches) closed.click();
}

/** Scrolls to what was opened: at the foot of a full panel it would show nothing but its title. */
function showWhenOpened(fold, panel) {
  let asked = false;
  fold.addEventListener('click', ({ target }) => { asked ||= target.closest('button')?.parentElement === fold; });
  new ResizeObserver(() => {
    if (!asked || !fold.querySelector(':scope > button.open')) return;
    asked = false;
    panel.scrollBy({ top: fold.getBoundingClientRect().top - panel.getBoundingClientRect().top - 12 });
  }).observe(fold);
}

const DARK = matchMedia('(prefers-color-scheme: dark)');
const BAR_WORDS = { theme: 'Light or dark', project: 'Projects', drawer: 'Prompt, engines and settings', tap: 'Tap the tempo (T)' };

/** Names and tooltips of Gradio's controls; Undo and Redo say what they would do. */
function name() {
  for (const [id, verb, keys] of [['undo', 'Undo', 'Ctrl Z'], ['redo', 'Redo', 'Ctrl ⇧Z']]) {
    const words = [verb, desk.doc[id]].filter(Boolean).join(' ');
    label(id, words, `${words} (${keys})`);
  }
  for (const [id, words] of Object.entries(BAR_WORDS)) label(id, words, words);
  for (const [id, { tag }] of Object.entries(ENGINES)) document.getElementById(`engine-${id}`)?.style.setProperty('--tag', `'${tag}'`);
  const title = document.querySelector('#name input');
  if (title && title.title !== title.value) title.title = title.value; // a long one is cut off
  tip();
}

/** Tooltips of the panel's controls; a button that is off says why. */
function tip() {
  const off = whyOff();
  for (const [id, usual] of Object.entries(desk.tips)) {
    const control = document.getElementById(id);
    const words = (control?.disabled && off[id]) || usual;
    if (control && control.title !== words) control.title = words;
  }
}

/** Why buttons are off, by their ids. */
function whyOff() {
  const [span, clip] = [whyNoInpaint(desk.doc, desk.run), whyNoClip(desk.doc, desk.run)];
  return { inpaint: span, auto: span, 'inpaint-all': span, continue: clip, intro: clip, 'make-loop': clip };
}

function label(id, words, title) {
  const button = document.querySelector(`#${id} button, button#${id}`);
  if (!button) return;
  button.title = title;
  button.setAttribute('aria-label', words);
}

/** Types into a Gradio field as a user would. */
function type(selector, words) {
  const field = document.querySelector(selector);
  if (!field) return;
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, words);
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true })); // a number is sent once it stands
  field.focus();
}

/** The theme that was chosen here, else the system's, also when that changes while the page is open. */
function showTheme() {
  const chosen = localStorage.getItem('inlay-theme');
  document.body.classList.toggle('dark', chosen ? chosen === 'dark' : DARK.matches);
}

function start() {
  if (window.inlay) return;
  desk.download = download;
  showTheme();
  DARK.addEventListener('change', showTheme);
  document.addEventListener('keydown', onKey);
  stage().dataset.view = desk.view;
  acceptDrops(document.body, document.querySelector('#page'));
  document.querySelector('#page').append(document.createElement('inlay-start'));
  watchBar();
  watchPresses();
  window.inlay = { desk, choose, turn: () => desk.turn() };
}

start();
