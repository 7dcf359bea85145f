/**
 * The one place where strings become markup. What a template shows is escaped for where it stands; nothing but such a
 * template can be put on the page. A template's own words are the author's, so a mistake in them is thrown; what is
 * shown comes from documents and files, so it is made harmless and never thrown.
 */

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '\r': '&#13;' };
const KEY = Symbol('only this module makes markup');

/** Words for a text or a quoted value. What no page can hold (U+0000, half a surrogate pair) is shown as U+FFFD. */
const escaped = (words) => String(words).replace(/[\0\p{Surrogate}]/gu, '\uFFFD').replace(/[&<>"'\r]/g, (char) => ENTITIES[char]);

/** What is written as it stands. No object that came as JSON is one: only this module can make them. */
class Written {
  #words;

  constructor(key, words) {
    if (key !== KEY) throw new TypeError('markup is made by html`...`');
    this.#words = words;
  }

  toString() {
    return this.#words;
  }
}

export class Markup extends Written {}
class Attributes extends Written {}

// ---- what stands where

const RAW = /^(style|script)$/i; // elements whose text has no entities

/** What may follow in each place of a template, and the place that comes then. Values have double quotes. */
const FOLLOWS = {
  words: [[/<!--/y, 'comment'], [/<(?<element>\/?[a-z][\w-]*)/iy, 'tag'], [/[^<]+|<(?![/!?a-z]|$)/iy, 'words']],
  comment: [[/-->/y, 'words'], [/[^-]+|-/y, 'comment']],
  tag: [[/\/?>/y, 'words'], [/(?<name>[^\s"'<>/=]+)="/y, 'value'], [/[^\s"'<>/=]+(?=[\s/>]|$)|\s+/y, 'tag']],
  value: [[/"/y, 'tag'], [/[^"]+/y, 'value']],
  raw: [[/<(?<element>\/(?:style|script))\b/iy, 'tag'], [/[^<]+|</y, 'raw']],
};

/** Where one is after some more of a template: {place, element, name}. */
function after(part, where) {
  let { place, element, name } = where;
  for (let at = 0; at < part.length;) {
    const found = FOLLOWS[place].map(([mark, next]) => ({ mark, next, hit: ((mark.lastIndex = at), mark.exec(part)) })).find(({ hit }) => hit);
    if (!found) throw new TypeError(`markup: "${part.slice(at, at + 20)}" in a ${place}`);
    ({ element = element, name = name } = found.hit.groups ?? {});
    place = place === 'tag' && found.next === 'words' && RAW.test(element) ? 'raw' : found.next;
    at = found.mark.lastIndex;
  }
  return { place, element, name };
}

const known = new WeakMap(); // a template's parts -> what its holes are

/** The place of each hole of a template; found once. */
function holesOf(parts) {
  if (known.has(parts)) return known.get(parts);
  const holes = [];
  let where = { place: 'words', element: '', name: '' };
  parts.forEach((part, i) => {
    where = after(part, where);
    if (i < parts.length - 1) holes.push({ ...where, whole: part.endsWith('="') && parts[i + 1].startsWith('"') });
  });
  if (where.place !== 'words') throw new TypeError(`markup ends in a ${where.place}`);
  known.set(parts, holes);
  return holes;
}

// ---- what is shown

/** An address of this page's own server, or sound and pictures that the page made; "" for any other. */
export function address(value) {
  const base = globalThis.document?.baseURI ?? 'http://localhost/';
  if (!URL.canParse(value, base)) return '';
  const url = new URL(value, base);
  if (url.protocol === 'data:') return /^data:(audio|image)\//i.test(url.href) ? String(value) : '';
  return /^(https?|blob):$/.test(url.protocol) && url.origin === new URL(base).origin ? String(value) : '';
}

const ADDRESSES = ['href', 'src', 'xlink:href', 'action', 'formaction', 'poster', 'data'];
const CODE = /^(on.*|srcdoc|srcset)$/i; // what no value is put into
const PLAIN = /^[\w.%-]*$/; // numbers, units and names: all that a style takes

/** A value of an attribute, `whole` where nothing else stands in it. True and false are words here, as ARIA has them. */
function inValue(value, name, whole) {
  if (value instanceof Written || !['string', 'number', 'boolean', 'undefined'].includes(typeof (value ?? undefined))) throw new TypeError(`markup: not a value of ${name}`);
  if (CODE.test(name)) throw new TypeError(`markup: nothing is put into ${name}`);
  const words = String(value ?? '');
  if (name === 'style') return PLAIN.test(words) ? words : '';
  if (!ADDRESSES.includes(name)) return escaped(words);
  if (!whole) throw new TypeError(`markup: ${name} takes a whole address`);
  return escaped(address(words));
}

/** Words, markup, or a list of them; nothing for true, false, null and undefined. */
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join('');
  if (value instanceof Markup) return value.toString();
  if (value === null || ['boolean', 'undefined'].includes(typeof value)) return '';
  if (['string', 'number'].includes(typeof value)) return escaped(value);
  throw new TypeError('markup: neither words nor markup');
}

function inHole(value, { place, name, whole }) {
  if (place === 'words') return inWords(value);
  if (place === 'value') return inValue(value, name, whole);
  if (place === 'tag' && value instanceof Attributes) return value.toString();
  throw new TypeError(`markup: that cannot stand in a ${place}`);
}

/** Markup of a template: html`<b title="${words}">${words}</b>`. */
export function html(parts, ...values) {
  const holes = holesOf(parts);
  return new Markup(KEY, parts.map((part, i) => part + (i < holes.length ? inHole(values[i], holes[i]) : '')).join(''));
}

/** Attributes of a tag by their names, <i ${attributes({ disabled, title })}>: none for false, null and undefined. */
export function attributes(values) {
  const written = Object.entries(values).map(([name, value]) => {
    if (!/^[a-z][a-z-]*$/.test(name)) throw new TypeError(`markup: "${name}" names no attribute`);
    if (value === null || value === undefined || (value === false && !name.startsWith('aria-'))) return '';
    return ` ${name}="${inValue(value === true && !name.startsWith('aria-') ? '' : value, name, true)}"`;
  });
  return new Attributes(KEY, written.join(''));
}

// ---- onto the page

const shown = new WeakMap(); // element -> what `refresh` has put there

function wordsOf(markup) {
  if (!(markup instanceof Markup)) throw new TypeError('only markup of html`...` is put on the page');
  return markup.toString();
}

/**
 * Puts markup into an element or a shadow root, in place of what is there.
 * @param {Element | ShadowRoot} place
 * @param {Markup} markup
 */
export function render(place, markup) {
  place.innerHTML = wordsOf(markup);
}

/**
 * The same, but only where it is not what this put there last; says whether anything changed.
 * @param {Element | ShadowRoot} place
 * @param {Markup} markup
 */
export function refresh(place, markup) {
  const words = wordsOf(markup);
  if (shown.get(place) === words) return false;
  render(place, markup);
  shown.set(place, words);
  return true;
}

/**
 * Puts markup beside what is there: at the end of an element, or behind it ("afterend").
 * @param {Element} element
 * @param {Markup} markup
 * @param {InsertPosition} place
 */
export function add(element, markup, place = 'beforeend') {
  element.insertAdjacentHTML(place, wordsOf(markup));
}
