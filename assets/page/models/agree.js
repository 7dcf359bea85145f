/**
 * What is agreed to before a model is fetched: what it may not be used for, how large it is and where it goes, and
 * how to log in where its page asks for consent. A dialog over the sheet; its focus is on "Not now".
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { sizeWords } from './model-words.js';
import { logIn, tokenMarkup } from './token.js';

const line = (icon, words) => html`<li>${icon}<p>${words}</p></li>`;

/** What stands in the way of the download, "" where nothing does. */
export function missing(row, told, ticked) {
  if (!told || told.error) return told ? 'Not possible just now' : 'Asking the hub…';
  if (told.short) return `${sizeWords(told.short)} short on the disk`;
  if (row.gated && !told.logged) return 'Log in first';
  return row.commercial || ticked ? '' : 'Tick the box first';
}

function steps(told) {
  const login = told.logged ? html`${icons.check}<p>Logged in to the hub on this machine</p>` : html`<b>2</b><div class="give">${tokenMarkup(told.login)}<p class="soft">Or run <code>hf auth login</code> in a terminal, and <button class="link" data-act="check">check again</button></p></div>`;
  return html`<hr><ol><li><b>1</b><p>Accept the terms on its page</p><button data-act="page">Open page</button></li><li>${login}</li></ol>`;
}

function facts(row, told) {
  const forbids = row.commercial ? '' : line(icons.warn, html`<b>${row.licence_words}.</b> ${told.forbids}`);
  const more = told.kept ? `, ${sizeWords(told.kept)} of it are there` : '';
  return html`<ul>${forbids}${line(icons.check, html`${told.allows} <button class="link" data-act="read">${row.licence} in full</button>`)}
    ${line(icons.download, html`${sizeWords(told.total)} from ${told.hub.replace(/^https?:\/\//, '')}${more}, kept in ${told.cache}.<span class="soft">${sizeWords(told.free)} free there. Can be paused.</span>`)}</ul>
    ${row.gated ? steps(told) : ''}${row.commercial ? '' : html`<hr><label class="promise"><input type="checkbox">I will not use it commercially</label>`}`;
}

function body(row, told) {
  if (!told) return html`<p class="soft">Asking the hub how large it is …</p>`;
  if (told.error) return html`<p class="err">${icons.warn}<span>${told.error}</span></p><button data-act="check">Try again</button>`;
  return facts(row, told);
}

const markup = (row) => html`<header><h2>Get ${row.title}?</h2><span class="spring"></span><button data-act="close" aria-label="Close">${icons.close}</button></header><div class="asked" aria-live="polite"></div>
  <footer><span class="soft why" role="status"></span><button data-act="close" class="not-now">Not now</button><button data-act="yes" class="primary" disabled>Download</button></footer>`;

/** Opens an address of the catalogue's beside the page. */
export const openPage = (link) => /^https?:\/\//.test(link ?? '') && window.open(link, '_blank', 'noopener');

/** Asks; gives whether it was agreed to. */
export function agree(row) {
  const dialog = document.createElement('dialog');
  dialog.className = 'inlay-agree';
  dialog.setAttribute('role', 'alertdialog');
  dialog.setAttribute('aria-label', `Get ${row.title}?`);
  render(dialog, markup(row));
  let told = null;
  let agreed = false;
  const show = () => {
    const why = missing(row, told, Boolean(dialog.querySelector('.promise input')?.checked));
    const yes = dialog.querySelector('[data-act=yes]');
    yes.disabled = Boolean(why);
    yes.textContent = `Download ${told?.total ? sizeWords(told.total - told.kept) : ''}`.trim();
    dialog.querySelector('.why').textContent = why;
  };
  const look = async () => {
    told = null;
    show();
    told = await desk.askModel(row.name).catch(() => ({ error: 'The server does not answer; try again.' }));
    render(dialog.querySelector('.asked'), body(row, told));
    show();
  };
  dialog.addEventListener('change', show);
  dialog.addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const wrong = await logIn(form);
    form.querySelector('.wrong').textContent = wrong;
    if (!wrong) look();
  });
  dialog.addEventListener('click', (event) => {
    const act = event.target.closest('button')?.dataset.act;
    if (act === 'check') look();
    if (act === 'page') openPage(told?.page);
    if (act === 'read') openPage(row.licence_link);
    agreed = act === 'yes';
    if (act === 'yes' || act === 'close' || event.target === dialog) dialog.close();
  });
  render(dialog.querySelector('.asked'), body(row, null));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('.not-now').focus();
  look();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(agreed);
    });
  });
}
