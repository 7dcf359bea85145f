/**
 * The Models sheet: which models AR and FM come from, what each may be used for and takes, and getting others. A dialog
 * over the page; downloads go on when it is closed. All that it says comes from the server when it is opened.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';
import { Scope } from '../parts/scope.js';
import { agree, openPage } from './agree.js';
import { act, ask, coming, models } from './getting.js';
import { deviceMarkup, memoryMarkup, rowMarkup, slotMarkup } from './model-row.js';
import { ordered, percent, sizeWords, uses, wantsConsent } from './model-words.js';
import { logIn, loginMarkup, tokenMarkup } from './token.js';

const AGAIN = 1000; // ms between looks at what is loaded while a run goes on
const STYLE = new URL('./models.css', import.meta.url).href;

/** The stylesheet, once; it is there before the dialog is shown. */
function styled() {
  if (document.querySelector('link[data-inlay-models]')) return Promise.resolve();
  const link = document.createElement('link');
  Object.assign(link, { rel: 'stylesheet', href: STYLE });
  link.dataset.inlayModels = '';
  return new Promise((done) => {
    for (const event of ['load', 'error']) link.addEventListener(event, () => done(undefined), { once: true });
    document.head.append(link);
  });
}

const MARKUP = html`<header><h2>Models</h2><span class="soft">Nothing is fetched unless you ask</span><span class="spring"></span><div class="device"></div><button data-act="close" aria-label="Close">${icons.close}</button></header>
  <div class="slots"><div class="slot ar"></div><div class="slot fm"></div><div class="memory"></div></div>
  <div class="heads soft" aria-hidden="true"><span>What it can do</span><span>Licence</span><span>On this machine</span></div>
  <ul class="rows"></ul>
  <div class="login" hidden></div><footer><p class="soft">ZS takes the FM model. Takes keep the name of the model that made them.</p><p class="said err" role="alert"></p><span class="spring"></span>
    <span class="logged"></span><form class="add" hidden><input name="path" aria-label="Folder or file on this machine" placeholder="/folder/or/file on this machine" autocomplete="off" spellcheck="false"><button>Add</button></form>
    <button data-act="open">${icons.folder}<span>Open a folder or file</span></button></footer><p class="heard" role="status"></p>`;

/** Puts new markup into a place and leaves the focus on what it was on. */
function replace(place, markup) {
  const focus = place.contains(document.activeElement) ? document.activeElement : null;
  if (!refresh(place, markup) || !focus) return;
  const same = focus.dataset.act && place.querySelector(`[data-act="${focus.dataset.act}"][data-slot="${focus.dataset.slot ?? ''}"]`);
  (same || place.querySelector('button, select'))?.focus();
}

class ModelsSheet {
  #scope = new Scope();
  #order = null; // names of the rows
  #quarters = new Map(); // name -> how many quarters of it a screen reader was told of

  constructor() {
    const sheet = document.createElement('dialog');
    this.sheet = sheet;
    sheet.className = 'inlay-models';
    sheet.setAttribute('aria-label', 'Models');
    render(sheet, MARKUP);
    sheet.addEventListener('close', () => {
      this.#scope.end();
      sheet.remove();
    });
    sheet.addEventListener('click', (event) => this.#press(event));
    sheet.addEventListener('change', (event) => {
      const select = /** @type {HTMLSelectElement} */ (event.target);
      if (select.matches('select')) this.#choose(select.dataset.slot, select.value);
    });
    sheet.addEventListener('submit', (event) => {
      event.preventDefault();
      if (event.target.matches('.token')) this.#logIn(event.target);
      else this.#add(event.target);
    });
    this.#scope.listen(desk, 'change', ({ detail }) => ['models', 'doc'].includes(detail.what) && this.#draw());
    this.#scope.every(AGAIN, () => { if (!coming().length && (desk.run || models()?.rows.some(({ loading }) => loading))) ask(); });
  }

  async open() {
    if (models()) this.#draw();
    const asked = ask();
    document.body.append(this.sheet);
    this.sheet.showModal();
    this.#draw();
    const answer = await asked;
    if (answer?.error || !answer) this.#say(answer?.error ?? 'The server does not answer; try again.');
    if (this.sheet.isConnected && !this.sheet.contains(document.activeElement?.closest('select'))) this.sheet.querySelector('select')?.focus();
  }

  // ---- what it shows

  #draw() {
    const told = models();
    if (!told) {
      refresh(this.#part('.rows'), html`<li class="soft">Looking …</li>`);
      return;
    }
    replace(this.#part('.device'), deviceMarkup(told));
    replace(this.#part('.logged'), loginMarkup(told.login));
    for (const slot of ['ar', 'fm']) replace(this.#part(`.slot.${slot}`), slotMarkup(slot, told.rows, told.memory));
    replace(this.#part('.memory'), memoryMarkup(told));
    this.#part('[data-act=open]').hidden = !told.may;
    this.#rows(told);
    this.#tell(told);
  }

  /** A row a model; one that stays is left alone where nothing of it changed. */
  #rows(told) {
    const list = this.#part('.rows');
    // As they were when it was opened: no row moves under the pointer. What is new stands at the end.
    this.#order ??= ordered(told.rows, told.downloads).map(({ name }) => name);
    const names = [...new Set([...this.#order, ...told.rows.map(({ name }) => name)])].filter((name) => this.#row(name));
    const rows = names.map((name) => this.#row(name));
    for (const item of [...list.children]) if (!names.includes(item.dataset.name)) item.remove();
    rows.forEach((row, at) => {
      let item = [...list.children].find((one) => one.dataset.name === row.name);
      if (!item) {
        item = document.createElement('li');
        item.dataset.name = row.name;
      }
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
      replace(item, html`<article aria-label="${row.title}">${rowMarkup(row, told)}</article>`);
    });
  }

  /** For screen readers: by quarters, and what has come. */
  #tell(told) {
    for (const name of coming()) {
      const { done, total } = told.downloads[name];
      const quarter = total ? Math.floor((4 * done) / total) : 0;
      if (quarter > (this.#quarters.get(name) ?? 0)) this.#part('.heard').textContent = `${this.#row(name).title}, ${percent(quarter / 4)}`;
      this.#quarters.set(name, quarter);
    }
    for (const name of this.#quarters.keys()) {
      if (told.downloads[name]) continue;
      this.#quarters.delete(name);
      if (this.#row(name)?.state === 'here') this.#part('.heard').textContent = `${this.#row(name).title} is here`;
    }
  }

  #say(words) {
    this.#part('.said').textContent = words;
  }

  #part(place) {
    return this.sheet.querySelector(place);
  }

  #row(name) {
    return models()?.rows.find((row) => row.name === name);
  }

  // ---- what is done

  #press(event) {
    const button = event.target.closest('button');
    const what = event.target === this.sheet ? 'close' : button?.dataset.act;
    const row = this.#row(button?.closest('[data-name]')?.dataset.name);
    if (!what) return;
    this.#say('');
    const own = {
      close: () => this.sheet.close(),
      open: () => this.#field(),
      copy: () => navigator.clipboard?.writeText(models().extra),
      login: () => this.#token(),
      logout: () => this.#have({ act: 'log out' }),
      device: () => this.#have({ act: 'device', device: button.dataset.slot }),
    }[what];
    if (own) own();
    else if (row) this.#do(what, row, button);
  }

  async #do(what, row, button) {
    const links = { read: row.licence_link, page: row.page };
    if (what in links) return openPage(links[what]);
    if (what === 'use') return this.#choose(button.dataset.slot, row.own ? '' : row.name);
    if (what === 'remove' && !this.#sure(button, row)) return undefined;
    if (what === 'get' && !(await this.#agreed(row))) return undefined;
    if (what === 'stop') this.#stopping(row);
    const wrong = await act({ act: what, name: row.name, agreed: true });
    if (wrong) return this.#say(wrong);
    if (what === 'remove') for (const slot of uses(row, desk.doc)) this.#choose(slot, '');
    return undefined;
  }

  /** The press is answered at once, whatever the machine is busy with. */
  #stopping(row) {
    row.loading.stopping = true;
    this.#draw();
  }

  /** Whether a model may be fetched: what was begun already was agreed to. */
  async #agreed(row) {
    const { large, downloads } = models();
    return !wantsConsent(row, large) || Boolean(downloads[row.name]) || agree(row);
  }

  /** Removing is asked about once, on the button itself. */
  #sure(button, row) {
    if (button.dataset.sure) return true;
    button.dataset.sure = 'asked';
    button.querySelector('span').textContent = row.source ? 'Sure? Its files stay' : `Sure? Frees ${sizeWords(row.size)}`;
    return false;
  }

  /** Where a slot's model comes from; one step of undo. */
  #choose(slot, name) {
    const shown = slot === 'ar' ? 'arFrom' : 'fmFrom';
    if (desk.doc[shown] !== name) desk.edit('set_models', { [`${slot}_from`]: name }, { [shown]: name });
  }

  /** Does something that is no row's. */
  async #have(data) {
    this.#say(await act(data));
  }

  /** The field for the token, open or shut. */
  #token() {
    const place = this.#part('.login');
    place.hidden = !place.hidden;
    render(place, place.hidden ? html`` : tokenMarkup(models().login));
    this.#part('.logged [data-act=login]')?.setAttribute('aria-expanded', String(!place.hidden));
    place.querySelector('input')?.focus();
  }

  async #logIn(form) {
    const wrong = await logIn(form);
    form.querySelector('.wrong').textContent = wrong;
    if (wrong) {
      form.querySelector('input').focus();
      return;
    }
    this.#token();
    this.#part('.heard').textContent = 'Logged in to the hub';
    this.#part('.logged button')?.focus();
  }

  #field() {
    const form = this.#part('form.add');
    form.hidden = !form.hidden;
    if (!form.hidden) form.querySelector('input').focus();
  }

  async #add(form) {
    const path = form.querySelector('input').value.trim();
    const wrong = path ? await act({ act: 'add', path }) : 'Write the path of a folder or file on this machine';
    this.#say(wrong);
    if (wrong) return;
    form.reset();
    form.hidden = true;
    this.#part('[data-act=open]').focus();
  }
}

/** Opens the sheet. */
export async function showModels() {
  await styled();
  if (!document.querySelector('dialog.inlay-models')) new ModelsSheet().open();
}
