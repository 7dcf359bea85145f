/**
 * Between Gradio's HTML component and the elements: its value goes to the desk, the desk's messages become
 * component events. The only module that knows what Gradio hands over.
 */

import { desk } from './desk.js';
import './page.js';
import './timeline.js';
import './takes.js';

const SESSION = 'inlay-project'; // sessionStorage: every tab has a project of its own, a reload keeps it

/** The timeline: `props.value` is the document, `trigger` carries edits, uploads and runs back. */
export function bindTimeline({ props, trigger, upload, watch }) {
  desk.vocabulary = props.vocabulary ?? [];
  let answered;
  const opened = new Promise((resolve) => { answered = resolve; });
  desk.send = async (kind, data) => {
    await opened; // the project of this tab is known only then
    if (kind !== 'upload') return trigger(kind, data);
    desk.timeline?.say(`Reading ${data.name} …`);
    try {
      const { path } = await upload(data);
      return trigger('upload', { path, name: data.name });
    } catch (error) {
      return desk.timeline?.say(`${data.name}: could not be sent (${error.message ?? error}); try again.`);
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

/** The takes: `props.value` is {groups, run, say}. */
export function bindTakes({ element, props, watch }) {
  const take = () => {
    if (!props.value?.groups) return;
    desk.receiveTakes(props.value);
    if (props.value.say) element.querySelector('inlay-takes')?.announce(props.value.say);
  };
  watch('value', take);
  take();
}
