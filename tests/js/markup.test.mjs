import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Markup, add, address, attributes, html, refresh, render } from '../../assets/page/parts/markup.js';

const HOSTILE = [
  '<img src=x onerror=alert(1)>', '"onmouseover="alert(1)', "' onfocus='alert(1)", '</style><script>alert(1)</script>', '</textarea></title><b>',
  '&lt;b&gt;', '&amp;amp;', '&', '<!--', '-->', ']]>', '`${alert(1)}`', '{{constructor}}', 'javascript:alert(1)', '\u2028\u2029', '<\0script>',
  '\ud800', 'a\udc00b', '\udc00\ud800', '\ud83c\udfb5', '\0', '\r\n', '=', '/>', '>',
];
const shown = (words) => words.replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
const ENTITIES = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#13;': '\r', '&amp;': '&' };
/** As a browser reads a text or a quoted value. */
const read = (words) => words.replace(/&(?:lt|gt|quot|amp|#39|#13);/g, (entity) => ENTITIES[entity]);

/** Words of hostile pieces, the same with every run. */
function* cases(count) {
  let seed = 7;
  const next = (below) => (seed = (seed * 48271) % 2147483647) % below;
  yield* HOSTILE;
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: 1 + next(5) }, () => (next(3) ? HOSTILE[next(HOSTILE.length)] : String.fromCharCode(next(0xffff)))).join('');
  }
}

/** What stands in for an element. */
const element = () => ({ innerHTML: '', added: [], insertAdjacentHTML(place, words) { this.added.push([place, words]); } });

test('whatever is shown comes back as it was, and nothing around it has changed', () => {
  for (const words of cases(2000)) {
    const made = String(html`<p title="${words}">${words}</p>`);
    const [whole, title, text] = /^<p title="([^<>"']*)">([^<>"']*)<\/p>$/.exec(made) ?? [];
    assert.ok(whole, JSON.stringify(words));
    assert.equal(read(title), shown(words));
    assert.equal(read(text), shown(words));
    assert.equal(String(html`<p ${attributes({ title: words })}></p>`), `<p  title="${title}"></p>`);
  }
});

test('markup stands as it is, once escaped and never twice', () => {
  const words = html`<b>${'a & b'}</b>`;
  assert.equal(String(html`<p>${words}${[words, ' < ', [words]]}</p>`), '<p><b>a &amp; b</b><b>a &amp; b</b> &lt; <b>a &amp; b</b></p>');
  assert.ok(words instanceof Markup);
});

test('what is nothing shows nothing; numbers and what ARIA calls true are words', () => {
  assert.equal(String(html`<p>${null}${undefined}${false}${true}${0}${-1.5}${''}</p>`), '<p>0-1.5</p>');
  assert.equal(String(html`<i aria-pressed="${false}" data-n="${0}" class="${null} ${undefined}"></i>`), '<i aria-pressed="false" data-n="0" class=" "></i>');
  assert.equal(String(html`<i${attributes({ disabled: true, hidden: false, title: null, 'aria-checked': false, 'data-n': 2 })}></i>`), '<i disabled="" aria-checked="false" data-n="2"></i>');
});

test('nothing that only looks like markup is taken for it', () => {
  const forged = [{ toString: () => '<b>' }, JSON.parse('{"words":"<b>"}'), { __proto__: Markup.prototype }, () => '<b>', Symbol('b'), new Date()];
  for (const value of forged) {
    assert.throws(() => html`<p>${value}</p>`, TypeError);
    assert.throws(() => html`<p title="${value}"></p>`, TypeError);
    assert.throws(() => html`<p ${value}></p>`, TypeError);
    assert.throws(() => render(element(), value), TypeError);
  }
  assert.throws(() => new Markup('key', '<b>'), TypeError);
  assert.throws(() => html`<p title="${html`<b></b>`}"></p>`, TypeError);
});

test('a string is never put on the page', () => {
  for (const put of [render, refresh, add]) {
    const place = element();
    for (const words of ['', 'plain', '<b></b>', null, undefined, ['<b></b>'], [html`<b></b>`]]) assert.throws(() => put(place, words), TypeError);
    assert.deepEqual([place.innerHTML, place.added], ['', []]);
  }
});

test('markup is put in place, beside, or only where it is another', () => {
  const place = element();
  render(place, html`<b>1</b>`);
  assert.equal(place.innerHTML, '<b>1</b>');
  add(place, html`<i></i>`);
  add(place, html`<u></u>`, 'afterend');
  assert.deepEqual(place.added, [['beforeend', '<i></i>'], ['afterend', '<u></u>']]);
  assert.equal(refresh(place, html`<b>2</b>`), true);
  place.innerHTML = 'as the hand left it';
  assert.equal(refresh(place, html`<b>${2}</b>`), false);
  assert.equal(place.innerHTML, 'as the hand left it');
  assert.equal(refresh(place, html``), true);
  assert.equal(place.innerHTML, '');
});

test('addresses lead to this server, or to sound and pictures of the page', () => {
  const good = ['gradio_api/file=/a b.wav', '/x?y#z', '#top', 'http://localhost/a', 'data:audio/midi;base64,TVRo', 'data:image/png;base64,AA', 'blob:http://localhost/1'];
  const bad = ['javascript:alert(1)', ' java\nscript:alert(1)', 'JAVASCRIPT:1', '//evil.example/a', 'https://evil.example', '/\\evil.example', 'data:text/html,<b>', 'blob:http://evil.example/1', 'vbscript:1', 'file:///etc/passwd', 'http://'];
  for (const value of good) assert.equal(address(value), value);
  for (const value of bad) {
    assert.equal(address(value), '', value);
    assert.equal(String(html`<a href="${value}"></a>`), '<a href=""></a>');
    assert.equal(String(html`<img ${attributes({ src: value })}>`), '<img  src="">');
  }
  assert.throws(() => html`<a href="x${'y'}"></a>`, TypeError);
});

test('a style takes names and numbers alone', () => {
  assert.equal(String(html`<i style="left:${-1.5}px;width:${1e-7}%;--e:var(--${'ar'})"></i>`), '<i style="left:-1.5px;width:1e-7%;--e:var(--ar)"></i>');
  for (const value of ['red;background:url(//evil.example)', 'x)', 'a:b', '"', '}']) assert.equal(String(html`<i style="--e:var(--${value})"></i>`), '<i style="--e:var(--)"></i>');
});

test('a template that shows something where it cannot be made harmless is thrown', () => {
  const mistakes = [
    () => html`<script>${1}</script>`, () => html`<style>${'a'}</style>`, () => html`<!-- ${1} -->`, () => html`<b title=${1}></b>`, () => html`<b title='${1}'></b>`,
    () => html`<b onclick="${'a'}"></b>`, () => html`<iframe srcdoc="${'a'}"></iframe>`, () => html`<${'b'}></b>`, () => html`<b ${'hidden'}></b>`, () => html`<b ${html`hidden`}></b>`,
    () => html`<p>${attributes({ hidden: true })}</p>`, () => html`<b title="`, () => html`<b`, () => html`<!--`,
    () => attributes({ onclick: 'a' }), () => attributes({ 'a b': 1 }), () => attributes({ '"': 1 }), () => attributes({ title: {} }),
  ];
  for (const mistake of mistakes) assert.throws(mistake, TypeError, String(mistake));
  assert.equal(String(html`<style>a > b { }</style><!-- a -- b --><p data-x class="${1}">1 < 2</p>`), '<style>a > b { }</style><!-- a -- b --><p data-x class="1">1 < 2</p>');
});
