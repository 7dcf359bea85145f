/** Who plays when: rows, states in a span, folded cells, gestures' results, what was heard, and the search. */

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  cellWords, cleared, cycled, heardIn, heardWords, inOrder, isMany, joined, kindOf, pieces, putParts, rowsShown, said, searched, solo, spoken, stretches,
} from '../../assets/page/music/band.js';

const cell = (name, start, end, fields = {}) => ({ id: `${name}${start}`, name, start, end, plays: true, sure: 0.9, by: 'heard', ...fields });
const MUSIC = [cell('drums', 0, 32), cell('electric piano', 0, 32), cell('upright bass', 0, 16)];
const SPAN = { start: 12, end: 20 };
const short = (all) => all.map(({ name, start, end, plays }) => [name, start, end, plays]);

test('a cell cuts only what it covers in its own row', () => {
  const lane = putParts(MUSIC, [cell('drums', 12, 20, { id: 'n', plays: false, by: 'drawn' })]);
  assert.deepEqual(short(lane), [
    ['drums', 0, 12, true], ['electric piano', 0, 32, true], ['upright bass', 0, 16, true], ['drums', 12, 20, false], ['drums', 20, 32, true],
  ]);
  assert.equal(new Set(lane.map(({ id }) => id)).size, lane.length);
  assert.deepEqual(short(cleared(lane, { name: 'drums', start: 0, end: 20 })).filter(([name]) => name === 'drums'), [['drums', 20, 32, true]]);
});

test('in a span each place of a row has a state, and its borders cut cells', () => {
  const states = (name, cells = MUSIC, words = []) => pieces(cells, name, SPAN, words).map(({ start, end, state, inside }) => [start, end, state, inside]);
  assert.deepEqual(states('drums'), [[0, 12, 'given', false], [12, 20, 'given', true], [20, 32, 'given', false]]);
  assert.deepEqual(states('upright bass'), [[0, 12, 'given', false], [12, 16, 'given', true], [16, 20, 'open', true]]);
  assert.deepEqual(states('flute'), [[12, 20, 'open', true]]);
  assert.deepEqual(states('flute', said(MUSIC, { name: 'flute', start: 14, end: 16 }, 'asked')), [[12, 14, 'open', true], [14, 16, 'asked', true], [16, 20, 'open', true]]);
});

test('words say more than what was heard, and less than what was drawn', () => {
  const words = [{ name: 'flute', plays: true, text: 'flute' }, { name: 'drums', plays: false, text: 'no drums' }];
  const inside = (name, cells = MUSIC) => pieces(cells, name, SPAN, words).filter((piece) => piece.inside).map(({ start, end, state }) => [start, end, state]);
  assert.deepEqual(inside('flute'), [[12, 20, 'asked']]);
  assert.deepEqual(inside('drums'), [[12, 20, 'none']]);
  const drawn = said(MUSIC, { name: 'drums', start: 16, end: 20 }, 'asked');
  assert.deepEqual(inside('drums', drawn), [[12, 16, 'none'], [16, 20, 'asked']]);
});

test('a double click goes round through asked, none and open', () => {
  assert.deepEqual(['given', 'asked', 'none', 'open'].map(cycled), ['none', 'none', 'open', 'asked']);
  let lane = MUSIC;
  const place = { name: 'drums', ...SPAN };
  const state = () => pieces(lane, 'drums', SPAN).filter(({ inside }) => inside).map((piece) => piece.state);
  for (const wanted of ['none', 'open', 'asked', 'none']) {
    lane = said(lane, place, cycled(state()[0]));
    assert.deepEqual(state(), [wanted]);
  }
  assert.deepEqual(short(lane).filter(([name, start]) => name === 'drums' && start !== 12), [['drums', 0, 12, true], ['drums', 20, 32, true]]);
});

test('only this one', () => {
  const lane = solo(MUSIC, { name: 'flute', ...SPAN }, ['flute', 'drums', 'upright bass']);
  const state = (name) => pieces(lane, name, SPAN).filter(({ inside }) => inside).map((piece) => piece.state);
  assert.deepEqual(['flute', 'drums', 'upright bass', 'electric piano'].map((name) => state(name)[0]), ['asked', 'none', 'none', 'given']);
});

test('rows: in view, in the span, in its words or added; asked first, then by time', () => {
  const view = { start: 20, end: 40 };
  assert.deepEqual(rowsShown(MUSIC, { view }), ['electric piano', 'drums']);
  assert.deepEqual(rowsShown(MUSIC, { view, span: SPAN }), ['electric piano', 'upright bass', 'drums']);
  const words = [{ name: 'flute', plays: true }, { name: 'drums', plays: false }];
  assert.deepEqual(rowsShown(MUSIC, { view, span: SPAN, words, added: ['harp'] }), ['flute', 'electric piano', 'upright bass', 'harp', 'drums']);
});

test('rows keep their order while one works on them', () => {
  assert.deepEqual(inOrder(['flute', 'drums', 'bass'], ['drums', 'flute', 'gone']), ['drums', 'bass', 'flute']);
  assert.deepEqual(inOrder(['flute', 'drums', 'bass'], ['drums', 'bass']), ['flute', 'drums', 'bass']);
  assert.deepEqual(inOrder(['a', 'b'], []), ['a', 'b']);
});

test('folded cells are stretches with the same players', () => {
  const rows = ['electric piano', 'upright bass', 'drums', 'flute'];
  const words = [{ name: 'flute', plays: true }, { name: 'drums', plays: false }];
  const told = stretches(MUSIC, rows, { low: 0, high: 40, span: SPAN, words });
  assert.deepEqual(told.map(({ start, end, inside }) => [start, end, inside]), [[0, 12, false], [12, 16, true], [16, 20, true], [20, 32, false]]);
  assert.deepEqual(told.map((one) => spoken(one)), [
    'electric piano, upright bass and drums', 'flute, electric piano and upright bass, no drums', 'flute and electric piano, no drums', 'electric piano and drums',
  ]);
  assert.deepEqual(told[1].players[0], { name: 'flute', asked: true });
  assert.deepEqual(stretches([], rows, { low: 0, high: 8 }), []);
});

test('a folded cell says as much as fits', () => {
  const one = { players: [{ name: 'electric piano', asked: true }, { name: 'upright bass', asked: false }], absent: ['drums'] };
  const brief = (name) => ({ 'electric piano': 'e-piano', 'upright bass': 'bass' })[name] ?? name;
  const fit = (room) => joined(cellWords(one, brief, (words) => words.length <= room));
  assert.equal(fit(99), 'Electric piano, upright bass, no drums');
  assert.equal(fit(30), 'E-piano, bass, no drums');
  assert.equal(fit(20), 'E-piano, bass +1');
  assert.equal(fit(3), 'E-piano +2');
});

test('what was heard again, by share of the time asked for', () => {
  const parts = [{ name: 'flute', start: 6, end: 8, sure: 0.9 }, { name: 'flute', start: 7, end: 9, sure: 0.5 }, { name: 'upright bass', start: 0, end: 20, sure: 1 }];
  const flute = heardIn(parts, 'flute', { start: 6, end: 10 });
  assert.deepEqual([flute.share, flute.seconds, Number(flute.sure.toFixed(3))], [0.75, 3, 0.767]);
  assert.equal(heardIn(parts, 'basses', { start: 6, end: 10 }, (name) => (name === 'upright bass' ? 'basses' : null)).share, 1);
  assert.equal(heardIn(parts, 'drums', { start: 6, end: 10 }).share, 0);
  assert.deepEqual([0.6, 0.3, 0.1].map((share) => heardWords('asked', share)), ['heard', 'faint', 'not heard']);
  assert.deepEqual([0.1, 0.3].map((share) => heardWords('none', share)), ['gone', 'still plays']);
  assert.deepEqual([heardWords('given', 0.3), heardWords('open', 0.1)], ['heard', 'not heard']);
});

test('the search finds names, their words and other spellings, else what is nearest', () => {
  const catalogue = [
    { name: 'flute', family: 'flutes', short: 'flute' }, { name: 'pan flute', family: 'flutes', short: 'pan flute' }, { name: 'harmonica', family: 'organs', short: 'harmonica' },
    { name: 'electric piano', family: 'keyboards', short: 'e-piano', also: ['rhodes'] }, { name: 'flutes', family: null, short: 'flutes' },
  ];
  const names = (typed) => searched(typed, catalogue).found.map(({ name }) => name);
  assert.deepEqual(names('flu'), ['flute', 'flutes', 'pan flute']);
  assert.deepEqual(names('Rhod'), ['electric piano']);
  assert.equal(names('').length, 5);
  assert.deepEqual(names('kazoo'), []);
  assert.deepEqual(searched('harmonia', catalogue).nearest.map(({ name }) => name), ['harmonica']);
  assert.deepEqual(searched('kazoo', catalogue).nearest.map(({ name }) => name), ['flutes']); // any of a family
  assert.equal(kindOf(catalogue[4], catalogue), 'any of 2');
  assert.equal(kindOf(catalogue[0], catalogue), 'Flutes');
});

test('verbs agree', () => {
  assert.deepEqual(['drums', 'strings', 'upright bass', 'brass', 'flute', 'mallets and bells'].map(isMany), [true, true, false, false, false, true]);
});
