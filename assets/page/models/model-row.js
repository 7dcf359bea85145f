/** Markup of the sheet's parts: a model's row, the two slots, the memory. */

import { desk } from '../store/desk.js';
import { engineOf } from '../store/engines.js';
import { icons } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { loadingWords, percent, refusalWords, shortOf, shortWords, sizeWords, stateWords, uses, whyNot } from './model-words.js';

const NAMES = { ar: 'AR', fm: 'FM' };

const tags = (engines) => engines.map(engineOf)
  .map(({ tag, token }) => html`<b class="engine" style="--e:var(--${token})">${tag}</b> `);

const meter = (share, kind = '') => html`<span class="meter ${kind}" aria-hidden="true"><i style="width:${Math.round(100 * Math.min(1, share))}%"></i></span>`;

const button = (act, words, { icon = null, quiet = false, data = '', label = null } = {}) => html`<button class="${quiet ? 'quiet' : 'plain'}" data-act="${act}" data-slot="${data}" ${attributes({ 'aria-label': label })}>${icon}<span>${words}</span></button>`;

// ---- the columns

/** What it is. */
function what(row) {
  const facts = row.own && desk.model.facts?.length ? html`<details><summary>What it can and cannot</summary><ul>${desk.model.facts.map((fact) => html`<li>${fact}</li>`)}</ul></details>` : '';
  return html`<div class="what"><h3>${row.title}<span class="soft">${row.maker}</span></h3>
    <p>${tags(row.engines)}${row.words}</p><p class="soft">${row.sound}</p>${facts}</div>`;
}

/** What it may be used for; the text itself is one click away. */
function licence(row) {
  const name = row.licence ? html`<span class="soft">${row.licence}${row.licence_link ? html`, <button class="link" data-act="read" aria-label="Read the licence of ${row.title}">Read it</button>` : ''}</span>` : '';
  if (!row.licence_words) return html`<div class="licence"></div>`;
  return html`<div class="licence">${row.commercial ? icons.check : icons.warn}<p>${row.licence_words}${name}</p></div>`;
}

/** Disk, memory, speed. */
function machine(row, { free, loaded }) {
  if (!row.engines.length) return html`<dl><div><dt>Disk</dt><dd>${sizeWords(row.size)}</dd></div></dl>`;
  const room = free + loaded;
  const short = room > 0 && row.need > room;
  const need = `${row.state === 'here' ? '' : 'about '}${sizeWords(row.need)}`;
  const memory = room > 0 ? `${need} of ${sizeWords(room)}` : need;
  return html`<dl><div><dt>Disk</dt><dd>${row.about ? 'about ' : ''}${sizeWords(row.size)}</dd></div>
    <div title="While a run is on it: its weights as 32-bit floats, and room to work"><dt>Memory</dt><dd>${memory}${room > 0 ? meter(short ? 1 : row.need / room, short ? 'over' : '') : ''}</dd></div>
    <div><dt>Speed</dt><dd class="${row.speed ? '' : 'soft'}">${row.speed || 'Not measured here yet'}</dd></div></dl>`;
}

// ---- what can be done

/** How far something is: words, bytes at the right where there is room for them, a bar. */
function far(row, share, words, bytes) {
  return html`<div class="far" role="progressbar" aria-label="${row.title}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.round(100 * share)}" aria-valuetext="${row.title}, ${percent(share)}"><span>${words}</span>${bytes ? html`<span class="soft">${bytes}</span>` : ''}${meter(share)}</div>`;
}

const bytesOf = ({ done, total }) => (total ? `${sizeWords(done)} of ${sizeWords(total)}` : '');

/** The hub lets nobody have it without a login, or not this one. */
function refused(row, login) {
  return html`<p class="err" role="alert">${icons.warn}<span>${refusalWords(login)}</span></p>
    <div class="two">${button('page', 'Open page')}${button('login', 'Enter token')}</div><div class="two">${button('get', 'Try again')}${button('cancel', 'Cancel')}</div>`;
}

/** A download or a conversion: how far it is, and what stops or resumes it. */
function download(row, one, { login }) {
  if (one.state === 'failed') {
    if (one.refused) return refused(row, login);
    return html`<p class="err" role="alert">${icons.warn}<span>${one.why}</span></p><div class="two">${button('get', one.done && !one.source ? 'Go on' : 'Try again')}${button('cancel', 'Cancel')}</div>`;
  }
  const bytes = ['getting', 'converting'].includes(one.state) ? '' : bytesOf(one);
  const bar = far(row, one.total ? one.done / one.total : 0, stateWords(one), bytes);
  if (one.source) return html`${bar}${button('cancel', 'Cancel', { label: `Cancel converting ${row.title}` })}`;
  const first = one.state === 'paused' ? button('get', 'Go on', { icon: icons.play }) : button('pause', 'Pause', { icon: icons.pause });
  return html`${bar}<div class="two">${first}${button('cancel', 'Cancel')}</div>`;
}

/** It comes into memory, for a run that waits. */
function loading(row, { may }) {
  const { done, total } = row.loading;
  const bar = far(row, total ? done / total : 0, loadingWords(row.loading), bytesOf(row.loading));
  return html`${bar}${may && !row.loading.stopping ? button('stop', 'Cancel', { label: `Cancel loading ${row.title}` }) : ''}`;
}

/** A model that is here: in use, or to be used. */
function here(row, { may }) {
  const used = uses(row, desk.doc);
  const free = row.slots.filter((slot) => !used.includes(slot));
  const says = used.length ? html`<p class="used">${icons.check}<span>In use as ${used.map((slot) => NAMES[slot]).join(' and ')}</span></p>` : '';
  return html`${says}${free.length ? html`<div class="two">${free.map((slot) => button('use', `Use as ${NAMES[slot]}`, { data: slot, label: `Use ${row.title} as ${NAMES[slot]}` }))}</div>` : ''}${row.own || !may ? '' : removal(row)}`;
}

/** What cannot be used: why, what would mend it, and the button for that where there is one. */
function broken(row, told) {
  const why = html`<p class="err">${icons.warn}<span>${row.why}</span></p>`;
  if (!told.may) return why;
  const mends = {
    get: () => (told.ready ? button('get', 'Get it again', { icon: icons.again, label: `Get ${row.title} again` }) : needsExtra(told)),
    convert: () => button('convert', 'Convert', { icon: icons.again, label: `Convert ${row.title}` }),
    extra: () => needsExtra(told),
  };
  const mend = mends[row.mend];
  return html`${why}${mend && row.mend !== 'convert' ? '' : html`<p class="soft">${row.remedy}</p>`}${mend ? mend() : ''}${removal(row)}`;
}

const needsExtra = ({ extra }) => html`<p class="soft">Needs <code>${extra}</code></p>${button('copy', 'Copy the command')}`;

const removal = (row) => button('remove', row.source ? 'Take off the list' : `Remove, frees ${sizeWords(row.size)}`, { quiet: true, label: `Remove ${row.title}` });

function action(row, told) {
  const one = told.downloads[row.name];
  if (one) return download(row, one, told);
  if (row.loading) return loading(row, told);
  if (['here', 'to get'].includes(row.state) && shortOf(row, told.memory)) return tooLarge(row, told);
  if (row.state === 'here') return here(row, told);
  return ['unusable', 'damaged'].includes(row.state) ? broken(row, told) : toGet(row, told);
}

/** A model that this machine cannot hold. */
function tooLarge(row, told) {
  return html`<button disabled>Does not fit</button><p class="soft">${shortWords(row, told.rows, told.memory)}</p>${row.state === 'here' && !row.own && told.may ? removal(row) : ''}`;
}

/** A model that is not here, or only a part of it. */
function toGet(row, told) {
  if (!told.may) return html`<p class="soft">Whoever runs this server can get it</p>`;
  if (!told.ready) return needsExtra(told);
  if (row.state === 'part') return html`<p class="soft">${sizeWords(row.kept)} are kept</p><div class="two">${button('get', 'Go on', { icon: icons.download })}${button('cancel', 'Cancel')}</div>`;
  const closed = row.gated && !told.login?.where;
  const words = `${closed ? 'Log in to get' : 'Get'} ${row.about ? '≈ ' : ''}${sizeWords(row.size)}`;
  return html`${button('get', words, { icon: closed ? icons.lock : icons.download, label: `${words}, ${row.title}` })}${row.gated ? html`<p class="soft">Its page asks for consent</p>` : ''}`;
}

/** A model's row. */
export const rowMarkup = (row, told) => html`${what(row)}${licence(row)}${machine(row, told)}<div class="do">${action(row, told)}</div>`;

// ---- above the rows

/** Where AR and FM come from: what is here, and the rest with the reason why not. */
export function slotMarkup(slot, rows, memory) {
  const chosen = desk.doc[slot === 'ar' ? 'arFrom' : 'fmFrom'];
  const valueOf = (row) => (row.own ? '' : row.name);
  const gone = chosen && !rows.some((row) => valueOf(row) === chosen);
  const options = rows.filter((row) => row.slots.includes(slot)).map((row) => {
    const why = whyNot(row, slot, memory);
    return html`<option value="${valueOf(row)}" ${attributes({ selected: valueOf(row) === chosen, disabled: Boolean(why) })}>${row.title}${why ? ` (${why})` : ''}</option>`;
  });
  return html`<span class="engine" style="--e:var(--${slot})">${NAMES[slot]} from</span><span class="pick"><select data-slot="${slot}" aria-label="${NAMES[slot]} from">${gone ? html`<option value="${chosen}" selected disabled>${chosen} (not here)</option>` : ''}${options}</select>${icons.down}</span>`;
}

/** What models run on: a line, or a choice where there is one. */
export function deviceMarkup({ devices, on, device, may }) {
  if (devices.length < 2 || !may) return html`<span class="soft on">Runs on ${device}</span>`;
  const each = devices.map(({ name, words, free, memory }) => html`<button role="radio" aria-checked="${name === on}" data-act="device" data-slot="${name}" title="${memory ? `${sizeWords(free)} of ${sizeWords(memory)} free` : words}">${words}${memory ? html`<small>${sizeWords(memory)}</small>` : ''}</button>`);
  return html`<span class="soft">Runs on</span><div class="choice" role="radiogroup" aria-label="Runs on">${each}</div>`;
}

/** What is in memory. */
export function memoryMarkup({ loaded, free, memory }) {
  if (!memory) return html``;
  return html`<p>Memory <span class="soft">${sizeWords(loaded)} loaded, ${sizeWords(free)} of ${sizeWords(memory)} free</span></p>${meter(loaded / memory)}`;
}
