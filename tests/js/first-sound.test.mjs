import test from 'node:test';
import assert from 'node:assert/strict';
import { FirstSound } from '../../assets/page/store/first-sound.js';

const take = (id, more = {}) => ({ id, kind: 'take', state: 'ready', whole: true, extends: '', ...more });
const QUIET = { playing: false, hidden: false };

test('the first clip that is ready after Generate is played, once', () => {
  const sound = new FirstSound();
  assert.equal(sound.next([take('t1')], QUIET), null); // nobody has asked
  sound.ask([take('t1')]);
  assert.equal(sound.next([take('t1'), take('run', { state: 'running' })], QUIET), null);
  assert.equal(sound.next([take('t1'), take('t2')], QUIET).id, 't2');
  assert.equal(sound.next([take('t1'), take('t2'), take('t3')], QUIET), null);
});

test('what sounds already goes on, and a hidden page stays silent', () => {
  for (const state of [{ playing: true, hidden: false }, { playing: false, hidden: true }]) {
    const sound = new FirstSound();
    sound.ask([]);
    assert.equal(sound.next([take('t1')], state), null);
    assert.equal(sound.next([take('t1'), take('t2')], QUIET), null); // its moment is over
  }
});

test('takes of spans and extensions are no clips, and a run that is over is forgotten', () => {
  const sound = new FirstSound();
  sound.ask([]);
  assert.equal(sound.next([take('t1', { whole: false }), take('t2', { extends: 'intro' })], QUIET), null);
  sound.forget();
  assert.equal(sound.next([take('t3')], QUIET), null);
});
