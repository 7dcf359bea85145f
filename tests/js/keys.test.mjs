import test from 'node:test';
import assert from 'node:assert/strict';
import { actionOf, KEYS, worksInFields } from '../../assets/page/shell/keys.js';

const stroke = (key, fields = {}) => actionOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...fields });

test('the strokes of the table', () => {
  assert.equal(stroke(' ').action, 'play');
  assert.equal(stroke('Home').action, 'rewind');
  assert.equal(stroke('ArrowLeft').action, 'nudge-left');
  assert.equal(stroke('ArrowRight', { shiftKey: true }).action, 'grow');
  assert.equal(stroke('N', { shiftKey: true }).action, 'previous');
  assert.equal(stroke('+', { shiftKey: true }).action, 'zoom-in'); // a German and an English keyboard
  assert.equal(stroke('=', {}).action, 'zoom-in');
  assert.equal(stroke('?', { shiftKey: true }).action, 'help');
  assert.equal(stroke(')', { shiftKey: true, code: 'Digit0' }).action, 'fit');
});

test('digits choose takes', () => {
  assert.deepEqual(stroke('3'), { action: 'track', digit: 3 });
  assert.deepEqual(stroke('0'), { action: 'track', digit: 0 });
});

test('Ctrl and Command are one', () => {
  for (const modifier of ['ctrlKey', 'metaKey']) {
    assert.equal(stroke('z', { [modifier]: true }).action, 'undo');
    assert.equal(stroke('Z', { [modifier]: true, shiftKey: true }).action, 'redo');
    assert.equal(stroke('Enter', { [modifier]: true }).action, 'inpaint');
    assert.equal(stroke('Enter', { [modifier]: true, shiftKey: true }).action, 'generate');
    assert.equal(stroke('.', { [modifier]: true }).action, 'cancel');
  }
});

test('what is made beyond a span has keys too', () => {
  assert.equal(stroke('Enter', { ctrlKey: true, altKey: true }).action, 'continue');
  assert.equal(stroke('Enter', { metaKey: true, altKey: true, shiftKey: true }).action, 'intro');
  assert.equal(stroke('L', { shiftKey: true }).action, 'make-loop');
  assert.equal(stroke('F', { shiftKey: true }).action, 'fix');
  assert.equal(stroke('z', { ctrlKey: true, altKey: true }), null);
  const listed = new Set(KEYS.map(([, action]) => action));
  for (const action of ['continue', 'intro', 'make-loop', 'fix']) assert.ok(listed.has(action), action);
});

test('the browser keeps its own keys', () => {
  assert.equal(stroke('r', { ctrlKey: true }), null);
  assert.equal(stroke('l', { altKey: true }), null);
  assert.equal(stroke('F5'), null);
});

test('lanes have keys of their own', () => {
  assert.equal(stroke('c', { ctrlKey: true }).action, 'copy');
  assert.equal(stroke('c').action, 'compare');
  assert.equal(stroke('ArrowUp', { shiftKey: true }).action, 'octave-up');
  assert.equal(stroke('S', { shiftKey: true }).action, 'split');
  assert.equal(stroke('s').action, 'tool-split');
  assert.equal(stroke('T', { shiftKey: true }).action, 'tap-drums');
});

test('in a field only the runs work', () => {
  assert.deepEqual(['inpaint', 'undo', 'play', 'keep'].map(worksInFields), [true, false, false, false]);
});

test('every action that a key has stands on the sheet', () => {
  const listed = new Set(KEYS.map(([, action]) => action));
  for (const key of [' ', 'Home', 'l', 'c', 'k', 'e', 'n', 'Escape', 'v', 'd', 'x', 'Enter', 'Delete', '+', '-', '?', '1', 's', 'j', 'q', 'i', ',', 't', 'b', 'f', 'p', 'a', 'ArrowUp', 'PageUp']) {
    assert.ok(listed.has(stroke(key).action), key);
  }
});
