/** The page's icons: 16 px, drawn with strokes in the text's colour. */

import { engineOf } from '../store/engines.js';
import { html } from './markup.js';

const path = (d, wide = 1.5) =>
  html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" stroke-width="${wide}"><path d="${d}"/></svg>`;
const solid = (d) =>
  html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true"><path d="${d}"/></svg>`;

export const icons = {
  select: path('M4 2.5l8.5 6.2-4 .6 2.3 4-1.7 1-2.3-4L4 13z'),
  draw: path('M3 13l.8-3L10.5 3.3a1.2 1.2 0 0 1 1.7 0l.5.5a1.2 1.2 0 0 1 0 1.7L6 12.2z M9.3 4.5l2.2 2.2'),
  erase: path('M6.5 13.5L2.8 9.8a1 1 0 0 1 0-1.4l5.6-5.6a1 1 0 0 1 1.4 0l3.4 3.4a1 1 0 0 1 0 1.4l-5.9 5.9z M5.5 5.7l4.8 4.8 M6.5 13.5h6.5'),
  snap: path('M4 2.5v5a4 4 0 0 0 8 0v-5h-2.6v5a1.4 1.4 0 0 1-2.8 0v-5z M4 5.2h2.6 M9.4 5.2H12'),
  minus: path('M3.5 8h9'),
  plus: path('M3.5 8h9 M8 3.5v9'),
  fit: path('M2 8h12 M4.5 5.2L1.8 8l2.7 2.8 M11.5 5.2L14.2 8l-2.7 2.8'),
  help: path('M5.8 6a2.2 2.2 0 1 1 3.1 2c-.6.3-.9.7-.9 1.4 M8 12.2v.1'),
  rewind: path('M4 3.5v9 M12 3.8L6.5 8l5.5 4.2z'),
  play: solid('M4.5 2.8v10.4a.6.6 0 0 0 .9.5l8.3-5.2a.6.6 0 0 0 0-1L5.4 2.3a.6.6 0 0 0-.9.5z'),
  pause: solid('M4 3h2.8v10H4z M9.2 3H12v10H9.2z'),
  loop: path('M3 7.5V6.2A2.2 2.2 0 0 1 5.2 4H13 M10.8 1.8L13 4l-2.2 2.2 M13 8.5v1.3A2.2 2.2 0 0 1 10.8 12H3 M5.2 14.2L3 12l2.2-2.2'),
  check: path('M3 8.5l3.2 3.2L13 5'),
  half: html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true"><circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.500 5.500 0 0 1 0 11z" fill="currentColor" stroke="none"/></svg>`,
  warn: path('M8 2.5l6 10.5H2z M8 6.5v3 M8 11.3v.1'),
  clock: path('M8 4.5V8l2.2 1.6 M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z'),
  close: path('M4 4l8 8 M12 4l-8 8'),
  dice: path('M3 4.2A1.2 1.2 0 0 1 4.2 3h7.6A1.2 1.2 0 0 1 13 4.2v7.6a1.2 1.2 0 0 1-1.2 1.2H4.2A1.2 1.2 0 0 1 3 11.8z M6 6v.1 M10 6v.1 M6 10v.1 M10 10v.1'),
  left: path('M10 3.5L5.5 8l4.5 4.5'),
  right: path('M6 3.5L10.5 8 6 12.5'),
  down: path('M4 6l4 4 4-4'),
  search: path('M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0z M10 10l3.5 3.5'),
  folder: path('M2 4.2A1.2 1.2 0 0 1 3.2 3h2.6l1.6 1.8h5.4A1.2 1.2 0 0 1 14 6v5.8a1.2 1.2 0 0 1-1.2 1.2H3.2A1.2 1.2 0 0 1 2 11.8z'),
  file: path('M4 2h5l3 3v9H4z M9 2v3h3'),
  star: path('M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z'),
  starred: solid('M8 1.5l2 4.1 4.6.7-3.3 3.2.8 4.5L8 11.9 3.9 14l.8-4.5L1.4 6.3 6 5.6z'),
  again: path('M13 8a5 5 0 1 1-1.6-3.7 M13 2.5v2.8h-2.8'),
  lock: path('M4 7.5h8v6H4z M5.8 7.5V5.2a2.2 2.2 0 0 1 4.4 0v2.3'),
  download: path('M8 2.5v7.5 M4.8 7L8 10.2 11.2 7 M3 13.2h10'),
  wave: path('M2 7v2 M5 5v6 M8 2.5v11 M11 5v6 M14 7v2'),
  split: path('M8 2v12 M2.5 5v6h3V5z M10.5 5v6h3V5z'),
  follow: path('M8 2v12 M3 5.5L5.5 8 3 10.5 M13 5.5L10.5 8l2.5 2.5'),
  more: path('M3.2 8h.1 M8 8h.1 M12.8 8h.1', 2.4),
  sound: path('M2.5 6.2v3.6h2.3L8 12.5v-9L4.8 6.2z M10.5 6a3 3 0 0 1 0 4 M12.5 4.2a5.5 5.5 0 0 1 0 7.6'),
  mute: path('M2.5 6.2v3.6h2.3L8 12.5v-9L4.8 6.2z M10.8 6.2l3.4 3.6 M14.2 6.2l-3.4 3.6'),
  midi: path('M2.5 3h11v10h-11z M6.2 3v6 M9.8 3v6 M6.2 9v4 M9.8 9v4'),
  phones: path('M3 9.5V8a5 5 0 0 1 10 0v1.5 M3 9h1.8v4H3z M11.2 9H13v4h-1.8z'),
  book: path('M8 4.2C6.6 3.2 4.8 3 2.5 3v9.500c2.300 0 4.100.2 5.500 1.200 1.400-1 3.200-1.200 5.500-1.200V3C11.200 3 9.400 3.200 8 4.200z M8 4.200v9.500'),
  chip: path('M4.500 4.500h7v7h-7z M6.500 2v2.500 M9.500 2v2.500 M6.500 11.500V14 M9.500 11.500V14 M2 6.500h2.500 M2 9.500h2.500 M11.500 6.500H14 M11.500 9.500H14', 1.3),
  mic: path('M8 2a2 2 0 0 1 2 2v3.500a2 2 0 0 1-4 0V4a2 2 0 0 1 2-2z M3.800 7.500a4.200 4.200 0 0 0 8.400 0 M8 11.700V14 M5.800 14h4.400'),
  trash: path('M3 4.5h10 M6 4.5V3h4v1.5 M4.3 4.5l.6 8.5h6.2l.6-8.5'),
};

/** An engine's letters in its colour. */
export const tag = (engine) => {
  const { tag: letters, token } = engineOf(engine);
  return html`<span class="tag" style="--e:var(--${token})">${letters}</span>`;
};
