import test from 'node:test';
import assert from 'node:assert/strict';
import { whyNoClip, whyNoInpaint } from '../../assets/page/store/why.js';

const clip = { seconds: 4 };
const region = { start: 1, end: 2 };

test('a button that is off says why, and what to do', () => {
  assert.match(whyNoInpaint({ clip: null, region: null }, false), /without a clip: open/);
  assert.match(whyNoInpaint({ clip, region: null }, false), /without a span: drag over the audio/);
  assert.match(whyNoInpaint({ clip, region }, true), /while a run goes on/);
  assert.equal(whyNoInpaint({ clip, region }, false), '');
  assert.equal(whyNoClip({ clip }, false), '');
  assert.match(whyNoClip({ clip: null }, false), /without a clip/);
});
