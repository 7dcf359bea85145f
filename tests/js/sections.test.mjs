/** Sections as the page shows them before the server has answered. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { barsOf, barsWords, countBars, nearestBar, newBars, placed, regionOf, split } from '../../assets/page/sections/bars.js';
import { actOf } from '../../assets/page/sections/section-menu.js';

const GRID = { bpm: 120, beats_per_bar: 4, offset: 0 };
const section = (id, start, end) => ({ id, name: id, start, end });
const places = (sections) => sections.map(({ name, start, end }) => [name, start, end]);

test('a section cuts what it covers, as on the server', () => {
  const two = [section('a', 0, 4), section('b', 4, 6)];
  assert.deepEqual(places(placed(two, section('b', 2, 6))), [['a', 0, 2], ['b', 2, 6]]);
  const cut = placed(two, section('c', 1, 2));
  assert.deepEqual(places(cut), [['a', 0, 1], ['c', 1, 2], ['a', 2, 4], ['b', 4, 6]]);
  assert.equal(new Set(cut.map(({ id }) => id)).size, 4);
  assert.deepEqual(places(placed(two, section('d', 0, 6))), [['d', 0, 6]]);
});

test('a section is cut in two only before a bar inside it', () => {
  const own = section('a', 0, 4);
  assert.deepEqual(places(split([own], own, 1, 'n')), [['a', 0, 1], ['a', 1, 4]]);
  for (const bar of [0, 4, 9]) assert.equal(split([own], own, bar, 'n'), null);
});

test('bars of a clip that begins and ends between bar lines', () => {
  assert.deepEqual(barsOf(GRID, 12), { first: 0, last: 6 });
  assert.deepEqual(barsOf(GRID, 12.3), { first: 0, last: 7 });
  assert.deepEqual(barsOf({ ...GRID, offset: 0.5 }, 12), { first: -1, last: 6 });
  assert.equal(nearestBar(GRID, 6.9), 3);
  assert.deepEqual(regionOf({ ...GRID, offset: 0.5 }, { start: -1, end: 6 }, 12), { start: 0, end: 12 });
});

test('a new section takes the span\'s bars, else what has no name yet', () => {
  assert.deepEqual(newBars([], GRID, { start: 3.9, end: 8.2 }, 12), { start: 2, end: 4 });
  assert.deepEqual(newBars([], GRID, { start: 11.9, end: 12 }, 12), { start: 5, end: 6 });
  assert.deepEqual(newBars([section('a', 0, 4)], GRID, null, 12), { start: 4, end: 6 });
  assert.equal(newBars([section('a', 0, 6)], GRID, null, 12), null);
});

test('what is said of bars counts from one', () => {
  assert.equal(barsWords(section('a', 6, 10)), 'bars 7 to 10');
  assert.equal(barsWords(section('a', 6, 7)), 'bar 7');
  assert.equal(countBars(section('a', 6, 7)), '1 bar');
});

test('keys on a section', () => {
  const key = (name, more = {}) => actOf({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.equal(key('d', { ctrlKey: true }), 'repeat');
  assert.equal(key('D', { metaKey: true, shiftKey: true }), 'vary');
  assert.equal(key('S', { shiftKey: true }), 'split');
  assert.equal(key('Delete'), 'remove');
  assert.equal(key('l', { altKey: true }), '');
  assert.equal(key('x'), '');
});
