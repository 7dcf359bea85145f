/** Whether the wish came true: sentences, figures and the order of takes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { agreement, level, settled, sortable, sorted, wishLine, wishList, wishSpoken } from '../../assets/page/takes/wish-words.js';

const SECONDS = 3.5;
const player = (name, share, plays = true) => ({
  kind: 'instrument', name, plays, share, sure: 0.91, seconds: SECONDS,
  words: plays ? (share >= 0.6 ? 'heard' : share >= 0.2 ? 'faint' : 'not heard') : share < 0.2 ? 'gone' : 'still plays',
});
const lane = (name, share) => ({ kind: name, name, plays: true, share, sure: 1, seconds: SECONDS, words: `${Math.round(share * 100)} %` });
const take = (id, wish, fields = {}) => ({ id, kind: 'take', state: 'ready', wish, wishState: '', seams: [], ...fields });

test('all as asked', () => {
  const line = wishLine(take('a', [player('flute', 0.91), player('drums', 0.02, false), lane('melody', 0.78)]));
  assert.deepEqual([line.icon, line.words, line.brief], ['check', 'Flute heard, drums gone, melody 78 %', 'Wish heard, melody 78 %']);
  assert.match(line.title, /flute: 3\.2 of 3\.5 s, 91 % sure/);
});

test('the worst first, with a verb that agrees', () => {
  const line = wishLine(take('a', [player('flute', 0.3), player('drums', 0.8, false), lane('melody', 0.71)]));
  assert.deepEqual([line.icon, line.words, line.brief], ['warn', 'Drums still play, flute faint, melody 71 %', 'Drums still play']);
  assert.equal(wishLine(take('a', [player('piano', 0.8, false)])).words, 'Piano still plays');
  const half = wishLine(take('a', [player('flute', 0.3), lane('melody', 0.64)]));
  assert.deepEqual([half.icon, half.brief], ['half', 'Flute faint, melody 64 %']);
  assert.equal(wishLine(take('a', [player('flute', 0.1)])).words, 'Flute not heard');
});

test('at most three parts, and four lines in Listen', () => {
  const wish = ['flute', 'harp', 'cello', 'oboe', 'tuba'].map((name) => player(name, 0.9));
  assert.equal(wishLine(take('a', wish)).words, 'Flute heard, harp heard, cello heard');
  assert.deepEqual(wishList(take('a', wish)).map(({ words }) => words), ['Flute heard', 'Harp heard', 'Cello heard', '+2']);
  assert.equal(wishList(take('a', wish.slice(1))).length, 4);
  assert.deepEqual(wishList(take('a', [player('flute', 0.3), lane('melody', 0.22)])).map(({ icon, words }) => [icon, words]), [['warn', 'Melody 22 %'], ['half', 'Flute faint']]);
});

test('nothing asked, pending, not judged, failed', () => {
  assert.equal(wishLine(take('a', [])), null);
  assert.equal(wishLine({ state: 'ready' }), null); // a server that says nothing of wishes
  assert.equal(wishLine(take('a', [player('flute', 0)], { state: 'running' })), null);
  assert.equal(wishLine(take('a', [player('flute', 0)], { wishState: 'pending' })).words, 'Listening for the flute…');
  assert.equal(wishLine(take('a', [], { wishState: 'pending' })).words, 'Listening for what was asked…');
  assert.equal(wishLine(take('a', [player('kazoo', 0)], { wishState: 'unknown' })).words, 'Not judged: kazoo is not known to the listener');
  const failed = wishLine(take('a', [], { wishState: 'failed' }));
  assert.deepEqual([failed.words, failed.again], ['Could not be judged.', true]);
});

test('for a screen reader', () => {
  assert.equal(wishSpoken(take('a', [player('flute', 0.3), player('drums', 0.8, false), lane('melody', 0.71)])), 'drums still play, flute faint, melody 71 percent');
  assert.equal(wishSpoken({ state: 'ready' }), '');
});

test('how far it came true', () => {
  assert.deepEqual([player('a', 0.6), player('a', 0.2), player('a', 0.1), player('a', 0.1, false), lane('melody', 0.75), lane('melody', 0.4)].map(level), [0, 1, 2, 0, 0, 1]);
  assert.equal(agreement(take('a', [player('flute', 1), player('drums', 0.5, false)])), 0.75);
  assert.equal(agreement(take('a', [player('flute', 1)], { wishState: 'pending' })), null);
});

const TRACKS = [
  { id: 'o', kind: 'original', state: 'ready' },
  take('1', [player('flute', 0.3)], { seams: [{ score: 0.1 }] }),
  take('2', [player('flute', 0.9)], { seams: [{ score: 0.8 }] }),
  take('3', [], { seams: [{ score: 0.05 }] }),
  take('4', [], { state: 'waiting' }),
  take('5', [], { state: 'running' }),
  take('6', [], { state: 'failed' }),
];
const ids = (tracks) => tracks.map(({ id }) => id).join('');

test('takes by wish or by seams; what is not ready stays last', () => {
  assert.equal(ids(sorted(TRACKS, 'wish')), 'o213654');
  assert.equal(ids(sorted(TRACKS, 'smoothest')), 'o312654');
  assert.equal(sortable(TRACKS), true);
  assert.equal(sortable(TRACKS.slice(0, 2)), false);
  const plain = TRACKS.map((track) => ({ ...track, wish: [] }));
  assert.equal(ids(sorted(plain, 'smoothest')), 'o123456'); // the order of making, as before
});

test('cards stay where they are while a run goes on', () => {
  const before = ['o', '1', '4'];
  assert.equal(ids(settled(TRACKS, before, 'wish', true)), 'o142356');
  assert.equal(ids(settled(TRACKS, before, 'wish', false)), 'o213654');
  assert.equal(ids(settled(TRACKS, [], 'wish', true)), 'o213654');
});
