import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Outbox } from '../../assets/page/store/outbox.js';

class Store {
  items = new Map();
  getItem = (key) => this.items.get(key) ?? null;
  setItem = (key, value) => this.items.set(key, value);
  removeItem = (key) => this.items.delete(key);
}

const edit = (id) => ({ id, project: 'p', name: 'set_seed', payload: { seed: 1 } });

test('the next page finds what was not confirmed, in its order', () => {
  const store = new Store();
  const outbox = new Outbox(store);
  for (const id of ['a', 'b', 'c']) outbox.add(edit(id));
  outbox.confirm(['b', 'unknown']);
  assert.deepEqual(new Outbox(store).pending, [edit('a'), edit('c')]);
  outbox.confirm(['a', 'c']);
  assert.deepEqual(new Outbox(store).pending, []);
  assert.equal(store.items.size, 0);
});

test('edits that one project refused go to its copy, and stay there over a reload', () => {
  const store = new Store();
  const outbox = new Outbox(store);
  outbox.add(edit('a'));
  outbox.add({ ...edit('b'), project: 'q' });
  outbox.add(edit('c'));
  const moved = ['a', 'c'].map((id) => ({ ...edit(id), project: 'copy' }));
  assert.deepEqual(outbox.move('p', 'copy'), moved);
  assert.deepEqual(outbox.move('p', 'copy'), []);
  assert.deepEqual(new Outbox(store).pending.map(({ id, project }) => [id, project]), [['a', 'copy'], ['b', 'q'], ['c', 'copy']]);
});

test('storage that is damaged or full costs nothing but the second chance', () => {
  for (const content of ['{', '7', 'null', '"a"']) {
    const store = new Store();
    store.setItem('inlay-outbox', content);
    assert.deepEqual(new Outbox(store).pending, []);
  }
  const full = new Store();
  full.setItem = () => { throw new Error('quota'); };
  const outbox = new Outbox(full);
  outbox.add(edit('a'));
  assert.deepEqual(outbox.pending, [edit('a')]);
});
