import assert from 'node:assert/strict';
import test from 'node:test';

import { leftWords, loadingWords, ordered, refusalWords, shortOf, shortWords, sizeWords, stateWords, uses, wantsConsent, whyNot } from '../../assets/page/models/model-words.js';

test('sizes and times in words', () => {
  assert.deepEqual([2.36e9, 39_559_020, 300_010].map(sizeWords), ['2.4 GB', '40 MB', '300 kB']);
  assert.deepEqual([0.2, 30, 240, 9000, null].map(leftWords), ['about 1 s left', 'about 30 s left', 'about 4 min left', 'about 3 h left', '']);
  assert.equal(stateWords({ state: 'getting', done: 43, total: 100, left: 240 }), '43 %, about 4 min left');
  assert.equal(stateWords({ state: 'converting', done: 43, total: 100, left: 20 }), 'Converting, 43 %, about 20 s left');
  assert.equal(stateWords({ state: 'paused', done: 43, total: 100, left: null }), 'Paused at 43 %');
  assert.equal(stateWords({ state: 'asking', done: 0, total: 0, left: null }), 'Asking the hub…');
});

test('loading and refusals in words', () => {
  assert.equal(loadingWords({ done: 62, total: 100 }), 'Loading into memory, 62 %');
  assert.equal(loadingWords({ done: 0, total: 0 }), 'Loading into memory, 0 %');
  assert.equal(loadingWords({ done: 62, total: 100, stopping: true }), 'Cancelling…');
  assert.match(refusalWords({ where: '' }), /accept the terms there, and log in/);
  assert.match(refusalWords({ where: 'file' }), /The login was refused/);
});

test('an empty choice means the server\'s own model', () => {
  const own = { name: 'bundle', own: true, slots: ['ar', 'fm'] };
  const other = { name: 'musicgen-small', own: false, slots: ['ar'] };
  assert.deepEqual(uses(own, { arFrom: '', fmFrom: '' }), ['ar', 'fm']);
  assert.deepEqual(uses(own, { arFrom: 'musicgen-small', fmFrom: '' }), ['fm']);
  assert.deepEqual(uses(other, { arFrom: 'musicgen-small', fmFrom: '' }), ['ar']);
});

test('what cannot stand in a slot says why', () => {
  const row = { slots: ['ar'], state: 'here' };
  assert.deepEqual([whyNot(row, 'ar'), whyNot(row, 'fm'), whyNot({ ...row, state: 'part' }, 'ar')], ['', 'no FM', 'to get']);
});

test('what the machine cannot hold says how much is short, and what fits', () => {
  const rows = [
    { name: 'large', title: 'Large', slots: ['ar', 'fm'], engines: ['ar', 'fm'], need: 9e9, state: 'here' },
    { name: 'bundle', title: 'Inlay small', slots: ['ar', 'fm'], engines: ['ar', 'fm'], need: 8e8, state: 'here' },
    { name: 'small', title: 'MusicGen small', slots: ['ar'], engines: ['ar'], need: 3e9, state: 'here' },
  ];
  assert.deepEqual(rows.map((row) => shortOf(row, 4e9)), [5e9, 0, 0]);
  assert.equal(shortWords(rows[0], rows, 4e9), '5.0 GB short. Inlay small fits'); // for both its engines
  assert.equal(shortWords(rows[0], rows, 5e8), '8.5 GB short.');
  assert.deepEqual([shortOf(rows[0], 0), shortOf({ need: 9e9, engines: [] }, 4e9)], [0, 0]); // nobody knows
  assert.deepEqual([whyNot(rows[0], 'ar', 4e9), whyNot(rows[1], 'ar', 4e9)], ['does not fit', '']);
});

test('without commerce, gated or large is asked about first', () => {
  const free = { commercial: true, gated: false, size: 5e8 };
  assert.deepEqual([free, { ...free, commercial: false }, { ...free, gated: true }, { ...free, size: 2e9 }].map((row) => wantsConsent(row, 1e9)), [false, true, true, true]);
});

test('what is here stands first, then what comes', () => {
  const rows = [['a', 'here'], ['b', 'to get'], ['c', 'to get'], ['d', 'part'], ['e', 'here']].map(([name, state]) => ({ name, state }));
  assert.deepEqual(ordered(rows, { c: {} }).map(({ name }) => name), ['a', 'e', 'c', 'd', 'b']);
});
