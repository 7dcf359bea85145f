/**
 * About: six things to know, what works now and how fast here, under which licence all is, a short guide, and a report
 * of faults to be copied. A dialog over the page. What it says of models comes from the server when it is opened.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { tokens } from '../parts/wave.js';
import { SIX, drawScenes } from '../takes/story.js';
import { showHelp } from '../shell/help.js';
import { GUIDE } from './lessons.js';

const STYLE = new URL('./about.css', import.meta.url).href;

/** The stylesheet, once; it is there before the dialog is shown. */
function styled() {
  const known = document.querySelector('link[data-inlay-about]');
  if (known) return Promise.resolve();
  const link = document.createElement('link');
  Object.assign(link, { rel: 'stylesheet', href: STYLE });
  link.dataset.inlayAbout = '';
  return new Promise((done) => {
    for (const event of ['load', 'error']) link.addEventListener(event, () => done(undefined), { once: true });
    document.head.append(link);
  });
}

const engineRow = ({ tag, colour, name, speed }) => html`<div><dt class="engine" style="--e:var(--${colour})">${tag}</dt><dd>${name}<small>${speed}</small></dd></div>`;

// A form, because who logs out leaves the page.
const userRow = (user) => html`<div><dt>User</dt><dd>${user}<form method="post" action="logout"><button class="link">Log out</button></form></dd></div>`;

/** Markup of what works now; `user` is who has logged in, if anybody has. */
export const workMarkup = ({ engines, device, licence, duty, user = '' }) => html`<dl>${engines.map(engineRow)}
  <div><dt>On</dt><dd>${device}</dd></div><div><dt>Licence</dt><dd>${[duty, licence].filter(Boolean).join(' · ')}</dd></div>${user ? userRow(user) : ''}</dl>`;

const partRow = ([name, licence, words]) => html`<li><b>${name}</b><span>${licence}</span><span class="soft">${words}</span></li>`;

const ASIDE = html`<aside>
  <section class="work" aria-live="polite"><h3>At work now</h3><div class="told"><p>Asking …</p></div><button class="link" data-act="models">Models: choose, get others</button></section>
  <section><h3>Licence</h3><p class="licences">Inlay: Apache-2.0. Inlay claims nothing on what you make.</p><button class="link" data-page="parts">Every part and its licence</button></section>
  <section><nav aria-label="More"><button data-page="guide">${icons.book}<span>Guide</span><kbd>H</kbd></button><button data-act="keys">${icons.midi}<span>Keys</span><kbd>?</kbd></button>
    <button data-act="report" title="Copies the version and the log; sends nothing">${icons.warn}<span>Report a fault</span></button></nav><p class="reported" role="status"></p></section></aside>`;

const markup = () => html`<header><h2>${icons.wave}<span>Inlay</span></h2><span class="soft version">runs on this machine, sends nothing out</span><span class="spring"></span><button data-act="close" aria-label="Close">${icons.close}</button></header>
  <div class="body"><div class="left" tabindex="-1"><div data-shown="six"><h3>Six things to know</h3><div class="scenes">${SIX}</div></div>
    <div data-shown="guide" class="guide" hidden><h3>Guide</h3>${GUIDE}<button class="link" data-page="six">Back to the six pictures</button></div>
    <div data-shown="parts" hidden><h3>Every part and its licence</h3><ul class="parts"></ul><button class="link" data-page="six">Back to the six pictures</button></div></div>${ASIDE}</div>`;

/** Copies what whoever looks for a fault has to know; where the browser forbids it, it stands there to be copied. */
async function report(sheet, words) {
  const said = sheet.querySelector('.reported');
  try {
    await navigator.clipboard.writeText(words);
    said.textContent = 'Version and log are copied; nothing was sent. Paste them where you report it.';
  } catch {
    render(said, html`Nothing was sent. Copy this:<textarea readonly aria-label="Version and log">${words}</textarea>`);
    said.querySelector('textarea').select();
  }
}

function turn(sheet, page) {
  for (const part of sheet.querySelectorAll('[data-shown]')) part.hidden = part.dataset.shown !== page;
  sheet.querySelector('.left').focus({ preventScroll: true });
  sheet.querySelector('.body').scrollTop = 0;
  drawScenes(sheet.querySelectorAll('canvas'), tokens(sheet));
}

/** Opens About at one of its pages: "six", "guide" or "parts". */
export async function showAbout(page = 'six') {
  await styled();
  document.querySelector('dialog.inlay-about')?.remove();
  const sheet = document.createElement('dialog');
  sheet.className = 'inlay-about';
  sheet.setAttribute('aria-label', 'About Inlay');
  render(sheet, markup());
  let told = null;
  sheet.addEventListener('close', () => sheet.remove());
  sheet.addEventListener('keydown', (event) => {
    if (event.key === 'h' && !event.ctrlKey && !event.metaKey) turn(sheet, 'guide');
  });
  sheet.addEventListener('click', (event) => {
    const { page: wanted, act } = event.target.closest('button')?.dataset ?? {};
    if (wanted) turn(sheet, wanted);
    if (act === 'report') report(sheet, told?.report ?? 'Inlay: the server does not answer.');
    if (event.target === sheet || ['close', 'keys', 'models'].includes(act)) sheet.close();
    if (act === 'keys') showHelp();
    if (act === 'models') desk.tell('show-models');
  });
  document.body.append(sheet);
  sheet.showModal();
  turn(sheet, page);
  told = await desk.atWork();
  const place = sheet.querySelector('.told');
  if (!told) {
    render(place, html`<p>The server does not answer yet.</p>`);
    return;
  }
  sheet.querySelector('.version').textContent = `version ${told.version}, runs on ${told.user ? 'your own server' : 'this machine'}, sends nothing out`;
  render(place, workMarkup(told));
  sheet.querySelector('.licences').textContent = `Inlay: Apache-2.0. The models: ${told.licence}${told.duty ? ` (${told.duty.toLowerCase()})` : ''}. Inlay claims nothing on what you make.`;
  render(sheet.querySelector('.parts'), html`${told.parts.map(partRow)}`);
}
