import test from 'node:test';
import assert from 'node:assert/strict';
import { Ghost } from '../../assets/page/store/ghost.js';
import { chordAgreement } from '../../assets/page/music/chords.js';

const grid = { bpm: 120, beats_per_bar: 4, offset: 0 };
const take = { id: 't1', kind: 'take', state: 'ready', seconds: 8, region: { start: 2, end: 4 }, asked: ['chords', 'melody'] };
const heard = {
  chords: [{ start: 2, end: 3.5, symbol: 'Am7' }, { start: 3.5, end: 4, symbol: 'F' }],
  melody: [{ start: 2, end: 2.5, pitch: 69 }],
};

async function asked() {
  const ghost = new Ghost();
  const asks = [];
  await new Promise((done) => ghost.want(take, async (id) => asks.push(id) && heard, done));
  ghost.want(take, async (id) => asks.push(id) && heard, () => {});
  return { ghost, asks };
}

test('a take is heard once, and not before it is ready', async () => {
  const { ghost, asks } = await asked();
  assert.deepEqual(asks, ['t1']);
  assert.equal(ghost.of({ ...take, id: 't2' }), null);
  ghost.want({ ...take, id: 't3', state: 'running' }, () => assert.fail('too early'), () => {});
});

test('a chord agrees where its root and third were heard', async () => {
  const { ghost } = await asked();
  assert.equal(ghost.chord(take, { start: 4, end: 8, symbol: 'Am' }, grid), 0.75);
  assert.equal(ghost.chord(take, { start: 4, end: 8, symbol: 'A' }, grid), 0);
  assert.equal(ghost.chord(take, { start: 6, end: 12, symbol: 'F' }, grid), 0.5); // what lies outside the span does not count
  assert.equal(ghost.chord(take, { start: 0, end: 4, symbol: 'Am' }, grid), null);
  assert.equal(chordAgreement('N', 0, 1, heard.chords), 0);
});

test('of a lane that a take was not told it says nothing', async () => {
  const { ghost } = await asked();
  const untold = { ...take, asked: [] };
  assert.equal(ghost.chord(untold, { start: 4, end: 8, symbol: 'Am' }, grid), null);
  assert.equal(ghost.bars(untold, [{ id: 'n', start: 2, end: 6, pitch: 69 }], grid).size, 0);
});

test('the melody in beats, and the agreement of a bar', async () => {
  const { ghost } = await asked();
  assert.deepEqual(ghost.melody(take, grid), [{ start: 4, end: 5, pitch: 69 }]);
  const notes = [{ id: 'n', start: 2, end: 6, pitch: 69 }];
  assert.deepEqual([...ghost.bars(take, notes, grid)], [[1, 0.5]]);
});

test('what failed is asked again', async () => {
  const ghost = new Ghost();
  ghost.want(take, async () => { throw new Error('offline'); }, () => {});
  await new Promise((done) => setImmediate(done));
  await new Promise((done) => ghost.want(take, async () => heard, done));
  assert.equal(ghost.of(take), heard);
});
