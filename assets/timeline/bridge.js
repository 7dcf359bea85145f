/**
 * Between Gradio's HTML component and the elements: its value goes to the desk, the desk's messages become
 * component events. The only module that knows what Gradio hands over.
 */

import { desk } from './desk.js';
import './page.js';
import './timeline.js';
import './spans-panel.js';
import './takes.js';

const SESSION = 'inlay-project'; // sessionStorage: every tab has a project of its own, a reload keeps it

/** The timeline: `props.value` is the document, `trigger` carries edits, uploads and runs back. */
export function bindTimeline({ props, trigger, upload, watch, functions }) {
  desk.vocabulary = props.vocabulary ?? [];
  desk.tips = props.tips ?? {};
  desk.midiOf = (lanes) => functions.midi_of_lanes(lanes);
  let answered;
  const opened = new Promise((resolve) => { answered = resolve; });
  let turn = Promise.resolve();
  desk.send = async (kind, data) => {
    await opened; // the project of this tab is known only then
    if (kind === 'project') return desk.projectEvent(data);
    if (kind === 'edit') {
      // One after the other: of two requests on their way at once, the later one may arrive first.
      turn = turn.then(() => {
        trigger(kind, data);
        return desk.answer(data.rev);
      });
      return turn;
    }
    if (kind !== 'upload') return trigger(kind, data);
    const { file, lane = '' } = data; // a recording, or MIDI for a lane
    desk.timeline?.say(`Reading ${file.name} …`);
    try {
      const { path } = await upload(file);
      return trigger('upload', { path, name: file.name, lane });
    } catch (error) {
      return desk.timeline?.say(`${file.name}: could not be sent (${error.message ?? error}); try again.`);
    }
  };
  const take = () => {
    const doc = props.value;
    if (doc?.serial) answered();
    if (doc?.project) sessionStorage.setItem(SESSION, doc.project);
    desk.receive(doc);
  };
  watch('value', take);
  take();
  trigger('open', { project: sessionStorage.getItem(SESSION) ?? '' });
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
