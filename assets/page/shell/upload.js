/** A file from the user's disk, by dialog or dropped anywhere on the page. `desk.send` carries it on. */

import { desk } from '../store/desk.js';

const AUDIO = 'audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff,.mid,.midi,.musicxml,.xml,.mxl,.zip'; // a zip holds a project
const MIDI = '.mid,.midi,.musicxml,.xml,.mxl,audio/midi';

/** `lane`: a MIDI file for that lane; without one a recording, or a MIDI file for both. */
export function chooseFile(lane = '') {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = lane ? MIDI : AUDIO;
  input.addEventListener('change', () => input.files[0] && desk.send('upload', { file: input.files[0], lane }));
  input.click();
}

/** Lets `element` take drops; `marked` wears the class `dropping` while a file hovers. */
export function acceptDrops(element, marked) {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes('Files');
  element.addEventListener('dragenter', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    marked.classList.add('dropping');
  });
  element.addEventListener('dragover', (event) => carries(event) && event.preventDefault());
  element.addEventListener('dragleave', (event) => {
    if (carries(event) && --depth <= 0) marked.classList.remove('dropping');
  });
  element.addEventListener('drop', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    marked.classList.remove('dropping');
    const file = event.dataTransfer.files[0];
    if (file) desk.send('upload', { file });
  });
}
