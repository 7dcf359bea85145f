import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Typed, worded } from '../../assets/timeline/typed.js';

const spans = [{ id: 'a', prompt: 'brass' }, { id: 'b', prompt: null }];

test('words belong to the active span only where it has its own', () => {
  assert.equal(worded({ spans, active: 'a' }), 'a');
  assert.equal(worded({ spans, active: 'b' }), '');
  assert.equal(worded({ spans: [], active: '' }), '');
});

test('words are handed over once, for what was active as they were typed', () => {
  const typed = new Typed();
  assert.deepEqual(typed.take(), [null, '']);
  typed.note('tr', { spans, active: 'a' });
  typed.note('trumpet', { spans, active: 'a' });
  const doc = { spans, active: 'b' }; // another span meanwhile
  assert.deepEqual(typed.take(), ['trumpet', 'a']);
  assert.deepEqual(typed.take(), [null, '']);
  typed.note('piano', doc);
  assert.deepEqual([typed.words, typed.span], ['piano', '']);
  assert.deepEqual(typed.take(), ['piano', '']);
});
