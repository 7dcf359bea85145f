/**
 * A take's card dragged out of the window as a file: its own samples, lossless, under the take's name. Chromium
 * writes the file where it is dropped; other browsers give its address, and the take's dialog has it as a download.
 */

import { desk } from '../store/desk.js';

const KINDS = { flac: 'audio/flac', wav: 'audio/wav', aiff: 'audio/aiff' };

/** Whether a track is a take that there is a file of. */
export const isFile = (track) => track.kind === 'take' && track.state === 'ready' && Boolean(track.file);

/** What a drag of a take carries, by type; `base`: the page's address. */
export function dragged(track, base) {
  const url = new URL(track.file, base).href;
  const kind = KINDS[track.file_name.split('.').at(-1)] ?? 'application/octet-stream';
  return { DownloadURL: `${kind}:${track.file_name.replaceAll(':', '-')}:${url}`, 'text/uri-list': url, 'text/plain': url };
}

/** Answers `dragstart` on a card. */
export function carryOut(event) {
  const id = event.target.closest?.('[draggable=true]')?.dataset.take;
  const track = desk.group?.tracks.find((known) => known.id === id);
  if (!track || !isFile(track)) return;
  for (const [kind, value] of Object.entries(dragged(track, document.baseURI))) event.dataTransfer.setData(kind, value);
  event.dataTransfer.effectAllowed = 'copy';
}
