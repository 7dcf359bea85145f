/**
 * Between Gradio's HTML component and the elements: its value goes to the desk, the desk's messages become
 * component events. The only module that knows what Gradio hands over.
 */

import { newId } from '../music/cells.js';
import { desk } from '../store/desk.js';
import { learnEngines } from '../store/engines.js';
import { Line } from '../store/line.js';
import { Outbox } from '../store/outbox.js';
import { showHeld } from './project-menu.js';
import { Sending } from './sending.js';
import { followTyping, sendTyped, unsent } from './typing.js';
import { waking } from './waking.js';
import { focused } from './page.js';
import '../board/timeline.js';
import './spans-panel.js';
import './word-tags.js';
import './conflict-note.js';
import './intent.js';
import '../takes/takes.js';
import '../takes/take-row.js';
import './model-button.js';
import '../models/part-tasks.js';

const SESSION = 'inlay-project'; // sessionStorage: every tab has a project of its own, a reload keeps it
const PAGE = 'inlay-page'; // and a secret, by which the server knows it again

/** What this tab calls itself, over all its reloads. */
function pageName() {
  const known = sessionStorage.getItem(PAGE);
  const name = known ?? ['page-', '', '', ''].map(newId).join('');
  if (!known) sessionStorage.setItem(PAGE, name);
  return name;
}

/** The documents as they arrive: what they confirm, and what has to be sent again to whom they belong. */
class Arrivals {
  #first = true;
  #held = ''; // the project that another process has, as the user was told
  #awaited = null; // {action, folder}: a project that was asked for again, or a copy of it
  #before = sessionStorage.getItem(SESSION) ?? '';

  constructor(outbox, line, opened) {
    this.outbox = outbox;
    this.line = line;
    this.opened = opened;
  }

  get before() {
    return this.#before;
  }

  /** Another project is asked for; whoever asks again is told again. */
  await(data) {
    this.#held = '';
    this.#awaited = data.folder ? data : null;
  }

  take(doc) {
    if (doc?.seen) this.outbox.confirm(doc.seen);
    if (doc?.serial && !doc.held) sessionStorage.setItem(SESSION, doc.project);
    desk.receive(doc);
    if (!doc?.serial) return;
    if (this.#first) this.#begin(doc);
    this.#catchUp(doc);
    if (doc.held && doc.held !== this.#held) showHeld(doc.held, doc.error);
    this.#held = doc.held ?? '';
  }

  /** What the page before this one did not hear the answer to. */
  #begin(doc) {
    this.#first = false;
    this.#again(this.outbox.pending.filter(({ project }) => project === doc.project || (!project && !this.#before)));
    this.opened();
  }

  /** What was refused while another process had the project is made now, in the project or its copy. */
  #catchUp(doc) {
    const awaited = this.#awaited;
    if (!awaited || doc.held || !doc.project || (doc.project === awaited.folder) !== (awaited.action === 'open')) return;
    this.#again(this.outbox.move(awaited.folder, doc.project));
    this.#awaited = null;
  }

  #again(edits) {
    for (const { id, name, payload } of edits) this.line.edit({ id, name, payload, rev: desk.nextRev() });
  }
}

/** The timeline: `props.value` is the document, `trigger` carries edits, uploads and runs back. */
export function bindTimeline({ props, trigger: asked, watch, functions }) {
  const wake = waking(() => asked('wake', {}));
  const trigger = (kind, data) => {
    asked(kind, data);
    wake();
  };
  desk.vocabulary = props.vocabulary ?? [];
  desk.merging = props.merging ?? [];
  desk.tips = props.tips ?? {};
  desk.model = props.model ?? {};
  learnEngines(props.engines ?? []);
  desk.instruments = props.instruments ?? [];
  desk.midiOf = (lanes) => functions.midi_of_lanes(lanes);
  let answered;
  const opened = new Promise((resolve) => { answered = resolve; }); // the project of this tab is known only then
  const line = new Line(opened, (edit) => {
    trigger('edit', edit);
    return desk.answer(edit.rev);
  });
  const outbox = new Outbox(sessionStorage);
  const arrivals = new Arrivals(outbox, line, answered);
  const sending = new Sending(trigger);
  const page = pageName();
  followTyping();
  window.addEventListener('pagehide', () => {
    const last = focused();
    last?.blur?.(); // a field of the page's own makes its edit as it is left
    const own = outbox.pending.filter(({ project }) => project === desk.doc.project).map((one) => ({ rev: 0, ...one }));
    const edits = [...own, ...unsent()];
    if (edits.length) navigator.sendBeacon(new URL('inlay/late', document.baseURI), JSON.stringify({ page, edits }));
  });
  desk.send = async (kind, data) => {
    if (kind === 'edit') {
      const id = newId('e') + newId('');
      outbox.add({ id, project: desk.doc.project ?? '', name: data.name, payload: data.payload });
      const overtaken = line.edit({ id, ...data });
      return overtaken && outbox.drop(overtaken);
    }
    if (kind === 'withdraw' && sending.stop(data.id)) return undefined;
    if (['cancel', 'watch', 'withdraw'].includes(kind)) return opened.then(() => trigger(kind, data));
    sendTyped();
    // What was edited before belongs to what is shown or made now; a file comes when it has been read.
    if (kind === 'upload') return line.then(() => sending.send(data));
    if (kind === 'run') return line.then(() => { trigger('run', data); });
    if (kind === 'project') arrivals.await(data);
    return line.then(() => {
      (kind === 'project' ? desk.projectEvent : desk.vote)(data);
      return data.rev && desk.answer(data.rev);
    });
  };
  desk.turn = () => {
    sendTyped();
    const rev = desk.nextRev();
    return new Promise((begin) => {
      line.then(() => {
        begin(rev);
        wake();
        return desk.answer(rev);
      });
    });
  };
  const take = () => arrivals.take(props.value);
  watch('value', take);
  take();
  trigger('open', { project: arrivals.before, page });
}

/** The takes: `props.value` is {groups, run, say, versions, deleted, results}. */
export function bindTakes({ element, props, trigger, watch, functions }) {
  desk.projectEvent = (data) => trigger('project', data);
  desk.vote = (data) => trigger('vote', data);
  desk.exportFile = (data) => functions.export_file(data);
  desk.ghostOf = (take) => functions.ghost_of_take({ project: desk.doc.project, take });
  desk.sectionsOfClip = () => functions.sections_of_clip({ project: desk.doc.project });
  desk.recentProjects = () => functions.recent_projects({});
  desk.pictureOf = (folder) => functions.picture_of_project({ project: folder });
  desk.atWork = () => functions.at_work({});
  desk.models = () => functions.models({});
  desk.askModel = (name) => functions.ask_model({ name });
  desk.doModel = (data) => functions.do_model(data);
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
