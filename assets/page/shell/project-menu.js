/** Dialogs about the project: the list of projects, save as, what can be exported. */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { add, html, render } from '../parts/markup.js';
import { openSheet } from '../takes/take-sheet.js';
import { drawPictures, found, projectRow } from '../start/recent.js';
import { chooseFile } from './upload.js';

const EXPORTS = [
  ['wav', 'WAV', 'the clip, sample for sample'],
  ['flac', 'FLAC', 'the same samples, packed'],
  ['mp3', 'MP3', 'small, for sending; not lossless'],
  ['stems', 'Stems of spans', 'every span and take as a file of its own'],
  ['midi', 'MIDI of the lanes', 'melody, chords, drums and who plays'],
  ['dawproject', 'DAWproject', 'clip, takes, lanes and tempo for Bitwig, Cubase, Studio One; no stems of instruments'],
  ['project', 'Project', 'everything in a zip, to be opened elsewhere'],
];

/** A file from the server under its own name. `kind` is one of the server's exports. */
export async function download(kind, take = null) {
  const answer = await desk.exportFile({ project: desk.doc.project, kind, take });
  if (answer?.error) return desk.timeline?.say(answer.error);
  const response = await fetch(new URL(answer.url, document.baseURI), { cache: 'no-store' });
  if (!response.ok) return desk.timeline?.say(`${answer.name}: could not be exported (${response.status}); try again.`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = answer.name; // the server's own answer would name it by its place
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  if (answer.notice) desk.timeline?.say(`${answer.notice}.`);
  return undefined;
}

export function showExports() {
  const track = desk.track?.kind === 'take' ? desk.track : null;
  const rows = [...EXPORTS, ...(track ? [['request', 'Request of the take you hear', 'JSON; "inlay replay" makes it again']] : [])];
  openSheet('Export', html`<ul class="choices">${rows.map(([kind, name, words]) => html`<li><button data-act="${kind}"><b>${name}</b><span class="soft">${words}</span></button></li>`)}</ul>`, (kind) => {
    download(kind, kind === 'request' ? track.id : null);
    return true;
  });
}

const sendProject = (data) => desk.send('project', { ...data, rev: desk.nextRev() });

export function showSaveAs() {
  const now = document.querySelector('#name input')?.value ?? '';
  const sheet = openSheet('Save as', html`<label class="field">Name<input value="${now} copy" maxlength="100"></label>
    <p class="soft">A copy of this project under that name. You go on in the copy; every change is saved by itself.</p>
    <footer><button data-act="save" class="primary">Save</button></footer>`, (act, _, open) => {
    if (act === 'save') sendProject({ action: 'copy', name: open.querySelector('input').value });
    return true;
  });
  const field = sheet.querySelector('input');
  field.select();
  field.addEventListener('keydown', (event) => event.key === 'Enter' && sheet.querySelector('[data-act=save]').click());
}

const SHOWN = 60; // projects that the list shows at once; a search finds the others

export async function showProjects() {
  const sheet = openSheet('Projects', html`<p class="soft">Looking …</p>`, (act, button) => {
    const acts = {
      new: () => sendProject({ action: 'new' }),
      file: () => chooseFile(),
      models: () => desk.tell('show-models'),
      open: () => sendProject({ action: 'open', folder: button.dataset.folder }),
    };
    if (act === 'copy') {
      showSaveAs();
      return false;
    }
    acts[act]?.();
    return true;
  });
  const entries = await desk.recentProjects();
  if (!sheet.isConnected) return; // closed meanwhile
  const waiting = sheet.querySelector('p');
  add(waiting, html`<div class="bar"><button data-act="new">${icons.plus}<span>New</span></button>
    <button data-act="copy" title="Ctrl S">${icons.file}<span>Save as</span></button>
    <button data-act="file" title="A project that was exported as a zip">${icons.download}<span>Import a zip</span></button>
    <button data-act="models" title="⇧M">${icons.chip}<span>Models</span></button></div>
    <label class="search">${icons.search}<input role="searchbox" aria-label="Search projects" placeholder="Search by name, words, key or tempo"></label>
    <p class="soft" role="status"></p><ul class="projects"></ul>`, 'afterend');
  waiting.remove();
  const [field, said, list] = ['.search input', '[role=status]', '.projects'].map((place) => sheet.querySelector(place));
  const show = () => {
    const fitting = found(entries, field.value);
    render(list, html`${fitting.slice(0, SHOWN).map((entry) => html`<li>${projectRow(entry, { current: entry.folder === desk.doc.project, takes: true })}</li>`)}`);
    said.textContent = countWords(entries.length, fitting.length, field.value.trim());
    drawPictures(list, entries, (folder) => desk.pictureOf(folder));
  };
  field.addEventListener('input', show);
  show();
  field.focus();
}

/** How many projects there are, or fit what is sought. */
function countWords(all, fitting, sought) {
  if (!all) return 'No projects yet.';
  if (!fitting) return `None of ${all} fits ${sought}.`;
  const more = fitting > SHOWN ? `; the newest ${SHOWN} are shown` : '';
  return `${sought ? `${fitting} of ${all}` : `${all} project${all === 1 ? '' : 's'}`}${more}`;
}

/** A project that another process has: who, and what can be done. */
export function showHeld(folder, words) {
  openSheet('Open elsewhere', html`<p>${words[0].toUpperCase() + words.slice(1)}.</p>
    <p class="soft">Two at once would overwrite each other. A copy has everything that is saved there now, undo included. What you did here last is done again in what you open.</p>
    <footer><button data-act="again">Try again</button><span class="spring"></span><button data-act="copy" class="primary">Open a copy</button></footer>`, (act) => {
    sendProject(act === 'copy' ? { action: 'copy', folder } : { action: 'open', folder });
    return true;
  });
}
