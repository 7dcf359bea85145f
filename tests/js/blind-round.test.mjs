/** A blind round: shuffled, locked until heard, rated, cast. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { LETTERS, ballot, hear, isOpen, isRated, missing, newRound, rate, secondsHeard } from '../../assets/page/takes/blind-round.js';

const LOOP = { start: 5, end: 6 };
const whole = (round, id) => {
  let now = round;
  for (let at = 5; at < 6; at += 0.05) now = hear(now, id, at, Math.min(at + 0.05, 5.999), 0.05);
  return now;
};

test('the order is a shuffle of the takes, every order about as often', () => {
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const counts = new Map();
  for (let i = 0; i < 6000; i++) {
    const { order } = newRound(['a', 'b', 'c'], LOOP, random);
    assert.deepEqual([...order].sort(), ['a', 'b', 'c']);
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(count > 850 && count < 1150, `${count}`);
});

test('ratings open once all of the loop was heard, in any order of its parts', () => {
  let round = newRound(['a', 'b'], LOOP);
  assert.equal(rate(round, 'a', 'match', 5), round); // locked
  round = hear(round, 'a', 5.5, 5.95, 0.45);
  assert.equal(isOpen(round, 'a'), false);
  assert.ok(Math.abs(secondsHeard(round, 'a') - 0.5) < 1e-9);
  round = hear(round, 'a', 5.0, 5.45, 0.45);
  assert.equal(isOpen(round, 'a'), true);
  assert.equal(isOpen(round, 'b'), false);
  assert.equal(hear(round, 'a', 5, 5.4, 0.4), round); // nothing new
});

test('a jump over the loop is not heard', () => {
  let round = newRound(['a', 'b'], LOOP);
  round = hear(round, 'a', 5.0, 5.85, 0.02); // the playhead was set there
  assert.ok(secondsHeard(round, 'a') < 0.15);
  assert.equal(hear(round, 'a', 2, 2.2, 0.2), round); // outside the loop
  assert.equal(hear(round, 'stranger', 5, 5.2, 0.2), round);
});

test('slow pages count what has sounded between two looks, also round the loop', () => {
  const slow = hear(newRound(['a', 'b'], LOOP), 'a', 5.0, 5.85, 0.85);
  assert.ok(Math.abs(secondsHeard(slow, 'a') - 0.9) < 1e-9);
  const around = hear(newRound(['a', 'b'], LOOP), 'a', 5.85, 5.15, 0.3);
  assert.ok(Math.abs(secondsHeard(around, 'a') - 0.4) < 1e-9); // 5.8-6.0 and 5.0-5.2
});

test('what is missing for the vote is named by letters, not by takes', () => {
  let round = newRound(['a', 'b', 'c'], LOOP, () => 0.999);
  assert.deepEqual(round.order, ['a', 'b', 'c']);
  assert.equal(missing(round), 'Hear and rate takes A, B and C to vote');
  for (const id of ['a', 'b', 'c']) round = whole(round, id);
  for (const id of ['a', 'b']) for (const scale of ['smoothness', 'match']) round = rate(round, id, scale, 7);
  assert.equal(missing(round), 'Rate take C to vote');
  assert.equal(isRated(round, 'c'), false);
  round = rate(rate(round, 'c', 'match', 10), 'c', 'smoothness', 1);
  assert.equal(missing(round), '');
  assert.deepEqual(ballot(round), {
    ratings: [{ take: 'a', smoothness: 7, match: 7 }, { take: 'b', smoothness: 7, match: 7 }, { take: 'c', smoothness: 1, match: 10 }],
    matched: true,
  });
});

test('no rating beyond the scale, none after the vote', () => {
  const round = whole(newRound(['a', 'b'], LOOP), 'a');
  for (const value of [0, 11, NaN, undefined]) assert.equal(rate(round, 'a', 'match', value), round);
  const cast = { ...round, revealed: true };
  assert.equal(rate(cast, 'a', 'match', 5), cast);
  assert.ok(LETTERS.length >= 5);
});

test('a round survives being written down', () => {
  const round = hear(newRound(['a', 'b'], LOOP), 'a', 5, 5.3, 0.3);
  assert.deepEqual(JSON.parse(JSON.stringify(round)), round);
});
