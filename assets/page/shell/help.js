/** The sheet of keys, a dialog over the page. */

import { KEYS } from './keys.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';

export function showHelp() {
  document.querySelector('dialog.inlay-keys')?.remove();
  const groups = [...new Set(KEYS.map(([, , , group]) => group))];
  const sheet = document.createElement('dialog');
  sheet.className = 'inlay-keys';
  sheet.setAttribute('aria-label', 'Keys');
  render(sheet, html`<header><h2>Keys</h2><button aria-label="Close">${icons.close}</button></header><div class="sheet">${groups
    .map((group) => html`<section><h3>${group}</h3><dl>${KEYS.filter((row) => row[3] === group)
      .map(([stroke, , words]) => html`<div><dt><kbd>${stroke}</kbd></dt><dd>${words}</dd></div>`)}</dl></section>`)}</div><p>Single keys do nothing while you type in a field. Drag on the audio for a span, on its flag to move it, on its handles to resize; hold Alt for no snap. Double-click makes a span of that bar, and on a player in the span asks for it, for none, or leaves it open. Wheel scrolls, Ctrl wheel zooms.</p>`);
  sheet.addEventListener('close', () => sheet.remove());
  sheet.addEventListener('click', (event) => {
    if (event.target === sheet || event.target.closest('button')) sheet.close();
  });
  document.body.append(sheet);
  sheet.showModal();
}
