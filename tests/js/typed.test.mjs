import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Typed, worded } from '../../assets/page/store/typed.js';

const spans = [{ id: 'a', prompt: 'brass' }, { id: 'b', prompt: null }];

const clip = {};

test('words are for the active span of a clip, whether or not it has its own yet', () => {
  assert.equal(worded({ spans, active: 'a', clip }), 'a');
  assert.equal(worded({ spans, active: 'b', clip }), 'b');
  assert.equal(worded({ spans, active: 'b', clip: null }), ''); // what is typed then is for a new clip
  assert.equal(worded({ spans, active: '', clip }), '');
});

test('words are handed over once, for what was active as they were typed', () => {
  const typed = new Typed();
  assert.deepEqual(typed.take(), [null, '']);
  typed.note('tr', { spans, active: 'a', clip });
  typed.note('trumpet', { spans, active: 'a', clip });
  const doc = { spans, active: '', clip }; // another span meanwhile
  assert.deepEqual(typed.take(), ['trumpet', 'a']);
  assert.deepEqual(typed.take(), [null, '']);
  typed.note('piano', doc);
  assert.deepEqual([typed.words, typed.span], ['piano', '']);
  assert.deepEqual(typed.take(), ['piano', '']);
});
