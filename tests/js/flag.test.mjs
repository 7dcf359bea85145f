/** A span's words on its flag. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { flagTimes, flagWords } from '../../assets/page/board/flag.js';

const span = { start: 6, end: 9.5, prompt: 'Airy flute takes the tune, no drums' };

test('words stand on a flag that has room for them beside number and times', () => {
  assert.equal(flagWords(span, 200, true), span.prompt);
  assert.equal(flagWords(span, 150, true), ''); // its times alone
  assert.equal(flagWords(span, 100, false), span.prompt); // another span has no times beside them
  assert.equal(flagWords(span, 80, false), '');
});

test('never on a phone, and never words of the clip', () => {
  assert.equal(flagWords(span, 400, true, true), '');
  assert.equal(flagWords({ ...span, prompt: null }, 400, true), '');
  assert.equal(flagWords({ ...span, prompt: '' }, 400, true), '');
});

test('times of another span stay where there is room for both, and go before its words do', () => {
  assert.equal(flagTimes(span, 100, false, ''), '6.00–9.50 s');
  assert.equal(flagTimes(span, 100, false, span.prompt), '');
  assert.equal(flagTimes(span, 100, true, span.prompt), '6.00–9.50 s');
  assert.equal(flagTimes(span, 260, false, span.prompt), '6.00–9.50 s');
  assert.equal(flagTimes(span, 160, false, 'flute'), '6.00–9.50 s');
});
