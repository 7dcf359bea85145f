/** The place where a file is dropped, and what becomes of it: on its way step by step, or why it was refused. */

import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { arrivalSteps, insteadWords, leftWords, sizeWords } from '../store/arrivals.js';

export const DROP_ZONE = html`<div class="drop"><div class="invite"><span class="signs">${icons.wave}${icons.midi}${icons.folder}</span><b>Drop a file here</b>
  <p class="soft">WAV, FLAC, OGG or MP3 up to 40 minutes, MIDI, or an Inlay project. Chords, melody, drums and who plays are read from it for you.</p></div>
  <div class="arriving" role="status"></div>
  <div class="row"><button class="choose">${icons.file}<span>Choose a file</span></button> <button class="record" title="From the microphone or a MIDI keyboard (⇧R)">${icons.mic}<span>Record</span></button></div></div>`;

const STATES = { done: icons.check, now: '', next: '' };

const steps = (arriving) => arrivalSteps(arriving).map(({ words, state, more }, i) => html`<li class="${state}"><b class="num">${STATES[state] || i + 1}</b><span>${words}</span><span class="soft num">${more}</span></li>`);

/** Shows `arriving` of the desk in a zone; `progress`: how far it is, null where nobody knows. */
export function tellArrival(zone, arriving, progress = null) {
  zone.classList.toggle('refused', Boolean(arriving?.error));
  zone.classList.toggle('busy', Boolean(arriving?.step));
  zone.querySelector('.choose span').textContent = arriving?.error ? 'Choose another file' : 'Choose a file';
  zone.querySelector('.row').hidden = Boolean(arriving?.step);
  const place = zone.querySelector('.arriving');
  if (!arriving) render(place, html``);
  else if (arriving.error) render(place, html`<p class="error">${icons.warn}<span>${arriving.error}</span></p>`);
  else {
    render(place, html`<header><p><b>${arriving.name}</b><span class="soft num">${sizeWords(arriving.size)}</span></p><span class="soft num left"></span></header><ol>${steps(arriving)}</ol>
      <div class="way"><i></i></div>
      <footer><span class="soft">It opens${insteadWords(arriving.instead)} as soon as it is read; listening goes on while you work.</span><span class="spring"></span><button class="cancel">${icons.close}<span>Cancel</span></button></footer>`);
    tellProgress(zone, progress ?? { share: arriving.step === 'uploading' ? 0.25 : 0.6, left: 0 });
  }
}

/** Only how far it is; nothing where nobody knows. */
export function tellProgress(zone, progress) {
  const [left, way] = ['.left', '.way i'].map((selector) => zone.querySelector(selector));
  if (!left || !progress) return;
  left.textContent = leftWords(progress);
  way.style.width = `${Math.round(100 * progress.share)}%`;
}
