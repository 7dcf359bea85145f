/** Dialogs about takes: everything about one of them, and the tree of what was on the timeline. */

import { desk } from '../store/desk.js';
import { icons, tag } from '../parts/icons.js';
import { attributes, html, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { searchPlot } from './search-plot.js';

/** A dialog over the page; `press(act, button)` answers its buttons and gives true to close it. */
export function openSheet(label, markup, press) {
  document.querySelector('dialog.inlay-sheet')?.remove();
  const sheet = document.createElement('dialog');
  sheet.className = 'inlay-sheet';
  sheet.setAttribute('aria-label', label);
  render(sheet, html`<header><h2>${label}</h2><button data-act="close" aria-label="Close">${icons.close}</button></header>${markup}`);
  sheet.addEventListener('close', () => sheet.remove());
  sheet.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    const act = event.target === sheet ? 'close' : button?.dataset.act;
    if (act && (act === 'close' || press(act, button, sheet) === true)) sheet.close();
  });
  document.body.append(sheet);
  sheet.showModal();
  return sheet;
}

export function showTake(track) {
  const rows = track.details.map(([what, value]) => html`<div><dt>${what}</dt><dd>${value}</dd></div>`);
  const seams = track.seams.map((seam) => html`<div><dt>Seam at ${seam.time.toFixed(2)} s</dt><dd>${seam.words}: jump ${seam.jump.toFixed(1)} dB, level ${seam.level.toFixed(1)} dB, brightness ${seam.brightness.toFixed(1)} dB, score ${seam.score.toFixed(2)}</dd></div>`);
  const name = engineOf(track.engine).name;
  const sheet = openSheet(`Take ${track.digit ?? ''}: ${name}`, html`
    <label class="field">Name<input value="${track.name}" placeholder="seed ${track.seed}" maxlength="100"></label>
    ${track.search ? searchPlot(track.search) : ''}
    <dl>${seams}${rows}</dl>
    <footer>
      <button data-act="again" title="Again with these settings, and the lanes as they are now (R)">${icons.again}<span>Again</span></button>
      <button data-act="seed" title="Run it again with another seed (E)">${icons.dice}<span>Another seed</span></button>
      <button data-act="use" title="Prompt, seed and knobs as they were for this take">Use these settings</button>
      ${track.region ? html`<button data-act="solo" title="Hear its span alone (O)">Hear it alone</button>` : ''}
      <button data-act="file" title="Its own samples; or drag the card out of the window">${icons.download}<span>WAV</span></button>
      <button data-act="request" title="All that the command line needs to make this take again">Request as JSON</button>
      <span class="spring"></span>
      <button data-act="delete" class="danger" title="Out of the list; undo brings it back">${icons.trash}<span>Delete</span></button>
    </footer>`, (act) => {
    const acts = {
      again: () => desk.again(track),
      seed: () => desk.anotherSeed(track),
      use: () => desk.edit('use_take', { id: track.id }),
      solo: () => desk.toggleSolo(track),
      file: () => desk.download('take', track.id),
      request: () => desk.download('request', track.id),
      delete: () => desk.discard(track),
    };
    acts[act]?.();
    return true;
  });
  const field = sheet.querySelector('input');
  const rename = () => desk.rename(track, field.value.trim());
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') sheet.close();
  });
  sheet.addEventListener('close', rename, { once: true });
}

export function showTree() {
  const children = (parent) => desk.versions.filter((version) => version.parent === parent);
  const branch = (version) => html`<li><button data-act="go" data-id="${version.id}" ${attributes({ 'aria-current': version.current ? 'true' : null })}>${version.engine ? tag(version.engine) : icons.file}<span>${version.label}</span>${version.current ? html`<span class="soft">${icons.check} on the timeline</span>` : ''}</button>${list(children(version.id))}</li>`;
  const list = (versions) => (versions.length ? html`<ul>${versions.map(branch)}</ul>` : '');
  const deleted = desk.deleted.map(({ id, label }) => html`<li><span>${label}</span><button data-act="restore" data-id="${id}">Restore</button></li>`);
  openSheet('Version tree', html`<div class="tree">${list(children(null)) || html`<p class="soft">Nothing was on the timeline yet.</p>`}</div>
    ${deleted.length ? html`<h3>Deleted takes</h3><ul class="deleted">${deleted}</ul>` : ''}`, (act, button) => {
    const { id } = button.dataset;
    if (act === 'go') desk.edit('show_version', { id });
    if (act === 'restore') desk.edit('restore_take', { id });
    return true;
  });
}

export const showHeard = () => desk.track?.kind === 'take' && showTake(desk.track);
