/** A recording from the user's disk: by dialog or dropped anywhere on the timeline. `desk.send` carries it on. */

import { desk } from './desk.js';

export function chooseFile() {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = 'audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff';
  input.addEventListener('change', () => input.files[0] && desk.send('upload', input.files[0]));
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
    if (file) desk.send('upload', file);
  });
}
