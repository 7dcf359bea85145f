/** Who was heard in a take, bar by bar, against who was asked for. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { askedOf, bandByBar, playersIn } from '../../assets/page/takes/take-band.js';

const GRID = { bpm: 120, beats_per_bar: 4, offset: 0 }; // a bar is two seconds
const wish = (name, plays) => ({ kind: 'instrument', name, plays, share: 0, sure: 1, seconds: 3.5, words: '' });
const heard = (name, start, end) => ({ name, start, end, sure: 0.9 });

test('each bar of the span says who plays, and what is not as asked', () => {
  const track = { region: { start: 6, end: 9.5 }, band: [heard('flute', 6, 8), heard('strings', 8, 9.5), heard('upright bass', 6, 9.5), heard('drums', 8, 9)], wish: [wish('flute', true), wish('drums', false)] };
  const bars = bandByBar(track, GRID, { shortOf: (name) => (name === 'upright bass' ? 'bass' : name) });
  assert.deepEqual(bars.map(({ from, to }) => [from, to]), [[6, 8], [8, 9.5]]);
  assert.deepEqual(bars.map(({ players, asked }) => [players, asked]), [['Flute, bass', ''], ['Strings, bass, drums', 'asked flute, no drums']]);
});

test('a take that nobody listened to has no strip', () => {
  assert.deepEqual(bandByBar({ region: { start: 0, end: 2 } }, GRID), []);
  assert.deepEqual(bandByBar({ region: null, band: [heard('flute', 0, 1)] }, GRID), []);
});

test('what was asked of all takes together', () => {
  assert.deepEqual(askedOf([{ wish: [wish('flute', true)] }, { wish: [wish('flute', true), wish('drums', false), { kind: 'melody', name: 'melody' }] }, {}]), { players: [{ name: 'flute', asked: true }], absent: ['drums'] });
  assert.equal(askedOf([{ wish: [] }]), null);
});

test('who plays in the original', () => {
  const cell = (name, start, end, plays = true) => ({ name, start, end, plays });
  assert.equal(playersIn([cell('drums', 0, 32), cell('electric piano', 0, 32), cell('flute', 0, 4), cell('harp', 0, 32, false)], { start: 6, end: 9.5 }, GRID), 'Electric piano, drums');
  assert.equal(playersIn([], { start: 0, end: 2 }, GRID), '');
});
