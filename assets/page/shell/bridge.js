/**
 * Between Gradio's HTML component and the elements: its value goes to the desk, the desk's messages become
 * component events. The only module that knows what Gradio hands over.
 */

import { newId } from '../music/cells.js';
import { desk } from '../store/desk.js';
import { Outbox } from '../store/outbox.js';
import { showHeld } from './project-menu.js';
import { Typed, worded } from '../store/typed.js';
import { focused } from './page.js';
import '../board/timeline.js';
import './spans-panel.js';
import './word-tags.js';
import './conflict-note.js';
import './intent.js';
import '../takes/takes.js';
import '../takes/take-row.js';
import './model-button.js';

const SESSION = 'inlay-project'; // sessionStorage: every tab has a project of its own, a reload keeps it
const PAGE = 'inlay-page'; // and a secret, by which the server knows it again

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

/** What this tab calls itself, over all its reloads. */
function pageName() {
  const known = sessionStorage.getItem(PAGE);
  const name = known ?? ['page-', '', '', ''].map(newId).join('');
  if (!known) sessionStorage.setItem(PAGE, name);
  return name;
}

/** The timeline: `props.value` is the document, `trigger` carries edits, uploads and runs back. */
export function bindTimeline({ props, trigger, upload, watch, functions }) {
  desk.vocabulary = props.vocabulary ?? [];
  desk.tips = props.tips ?? {};
  desk.model = props.model ?? {};
  desk.instruments = props.instruments ?? [];
  desk.midiOf = (lanes) => functions.midi_of_lanes(lanes);
  let answered;
  const opened = new Promise((resolve) => { answered = resolve; });
  let turn = opened; // the project of this tab is known only then
  const outbox = new Outbox(sessionStorage);
  const page = pageName();
  let held = ''; // the project that another process has, as the user was told
  let awaited = null; // {action, folder}: a project that was asked for again, or a copy of it
  // One after the other: of two requests on their way at once, the later one may arrive first.
  const edit = (data) => {
    turn = turn.then(() => {
      trigger('edit', data);
      return desk.answer(data.rev);
    });
    return turn;
  };
  desk.typed = new Typed();
  desk.worded = () => worded(desk.doc);
  const typed = new Map(); // field -> when something was typed into it last
  document.addEventListener('input', ({ target }) => {
    if (target.matches?.(Object.keys(TYPED).join())) typed.set(target, performance.now());
    if (target.matches?.('#prompt textarea')) {
      desk.typed.note(target.value, desk.doc);
      ownWords(desk.typed.span, target.value);
    }
  });
  window.addEventListener('pagehide', () => {
    const last = focused();
    last?.blur?.(); // a field of the page's own makes its edit as it is left
    const edits = outbox.pending.filter(({ project }) => project === desk.doc.project).map((one) => ({ rev: 0, ...one }));
    for (const [field, when] of typed) {
      const name = Object.keys(TYPED).find((place) => field.matches(place));
      // Gradio may not have sent it yet; the same once more changes nothing.
      if (name && ((field === last && field.type === 'number') || performance.now() - when < JUST_TYPED)) edits.push({ rev: 0, id: newId('e') + newId(''), ...TYPED[name](field.value, field) });
    }
    if (edits.length) navigator.sendBeacon(new URL('inlay/late', document.baseURI), JSON.stringify({ page, edits }));
  });
  desk.send = async (kind, data) => {
    if (kind === 'edit') {
      const id = newId('e') + newId('');
      outbox.add({ id, project: desk.doc.project ?? '', name: data.name, payload: data.payload });
      return edit({ id, ...data });
    }
    await opened;
    if (kind === 'project') {
      held = ''; // whoever asks again is told again
      awaited = data.folder ? data : null;
      turn = turn.then(() => desk.projectEvent(data)); // what was edited before belongs to the project before
      return turn;
    }
    if (kind !== 'upload') return trigger(kind, data);
    const { file, lane = '', example } = data; // a recording, MIDI for a lane, or a clip that ships
    if (example) return trigger('upload', { path: '', name: '', example });
    desk.timeline?.say(`Reading ${file.name} …`);
    try {
      const { path } = await upload(file);
      return trigger('upload', { path, name: file.name, lane });
    } catch (error) {
      return desk.timeline?.say(`${file.name}: could not be sent (${error.message ?? error}); try again.`);
    }
  };
  const before = sessionStorage.getItem(SESSION) ?? '';
  let first = true;
  const take = () => {
    const doc = props.value;
    if (doc?.seen) outbox.confirm(doc.seen);
    if (doc?.serial && !doc.held) sessionStorage.setItem(SESSION, doc.project);
    desk.receive(doc);
    if (doc?.serial && first) {
      first = false;
      // What the page before this one did not hear the answer to.
      const late = outbox.pending.filter(({ project }) => project === doc.project || (!project && !before));
      late.forEach(({ id, name, payload }) => edit({ id, name, payload, rev: desk.nextRev() }));
      answered();
    }
    if (awaited && doc?.serial && !doc.held && doc.project && (doc.project === awaited.folder) === (awaited.action === 'open')) {
      // What was refused while another process had the project is made now, in the project or its copy.
      for (const { id, name, payload } of outbox.move(awaited.folder, doc.project)) edit({ id, name, payload, rev: desk.nextRev() });
      awaited = null;
    }
    if (doc?.held && doc.held !== held) showHeld(doc.held, doc.error);
    held = doc?.held ?? '';
  };
  watch('value', take);
  take();
  trigger('open', { project: before, page });
}

/** The takes: `props.value` is {groups, run, say, versions, deleted, results}. */
export function bindTakes({ element, props, trigger, watch, functions }) {
  desk.projectEvent = (data) => trigger('project', data);
  desk.vote = (data) => trigger('vote', data);
  desk.exportFile = (data) => functions.export_file(data);
  desk.ghostOf = (take) => functions.ghost_of_take({ project: desk.doc.project, take });
  desk.recentProjects = () => functions.recent_projects({});
  let before = null; // whether a run went on; a page that was loaded meanwhile watches it
  const take = () => {
    if (!props.value?.groups) return;
    desk.receiveTakes(props.value);
    if (before === null && props.value.run) desk.send('watch', {});
    before = props.value.run;
    if (props.value.say) element.querySelector('inlay-takes')?.announce(props.value.say);
  };
  watch('value', take);
  take();
}
