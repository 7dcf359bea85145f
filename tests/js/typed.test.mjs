import assert from 'node:assert/strict';
import { test } from 'node:test';

import { worded } from '../../assets/page/store/typed.js';

const spans = [{ id: 'a', prompt: 'brass' }, { id: 'b', prompt: null }];

const clip = {};

test('words are for the active span of a clip, whether or not it has its own yet', () => {
  assert.equal(worded({ spans, active: 'a', clip }), 'a');
  assert.equal(worded({ spans, active: 'b', clip }), 'b');
  assert.equal(worded({ spans, active: 'b', clip: null }), ''); // what is typed then is for a new clip
  assert.equal(worded({ spans, active: '', clip }), '');
});
