import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Line } from '../../assets/page/store/line.js';

const turn = () => new Promise((done) => { setTimeout(done); });

test('each waits for the answer to the one before, clicks and undo among them', async () => {
  const sent = [];
  const answers = [];
  const line = new Line(Promise.resolve(), (edit) => new Promise((done) => { sent.push(edit.name); answers.push(done); }));
  line.edit({ name: 'draw', payload: {} });
  line.edit({ name: 'undo', payload: {} });
  line.then(() => { sent.push('run'); });
  line.edit({ name: 'draw', payload: {} });
  await turn();
  assert.deepEqual(sent, ['draw']);
  answers[0]();
  await turn();
  assert.deepEqual(sent, ['draw', 'undo']);
  answers[1]();
  await turn();
  assert.deepEqual(sent, ['draw', 'undo', 'run', 'draw']);
});

test('of what is typed into a field only the last waits; what comes between keeps its place', async () => {
  const sent = [];
  let open;
  const line = new Line(new Promise((done) => { open = done; }), async (edit) => { sent.push(edit.payload.prompt ?? edit.name); });
  const typed = (prompt, span = '') => line.edit({ name: 'set_prompt', payload: { prompt, span }, field: 'typed' });
  assert.equal(typed('b'), null);
  assert.equal(typed('br').payload.prompt, 'b');
  assert.equal(typed('x', 's1'), null); // of another span
  line.edit({ name: 'undo', payload: {} });
  assert.equal(typed('bra'), null);
  open();
  await turn();
  assert.deepEqual(sent, ['br', 'x', 'undo', 'bra']);
});

test('one that fails does not stop the rest', async () => {
  const sent = [];
  const line = new Line(Promise.resolve(), async (edit) => { sent.push(edit.name); });
  const failing = line.then(() => { throw new Error('no'); });
  line.edit({ name: 'draw', payload: {} });
  await turn();
  assert.deepEqual(sent, ['draw']);
  assert.ok(failing instanceof Promise);
});
