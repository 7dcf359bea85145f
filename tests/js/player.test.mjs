import test, { afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { audible, boundaries, Player } from '../../assets/page/sound/player.js';

// A Web Audio clock that stands still until a test moves it, and remembers what was scheduled.
class Parameter {
  value = 1;
  events = [];
  cancelScheduledValues(at) { this.events = this.events.filter((event) => event.at < at); }
  setValueAtTime(value, at) { this.events.push({ kind: 'set', value, at }); this.value = value; }
  linearRampToValueAtTime(value, at) { this.events.push({ kind: 'ramp', value, at }); this.value = value; }
}
class Node {
  connect(next) { return next; }
  disconnect() {}
}
class FakeContext {
  currentTime = 10;
  destination = new Node();
  sources = [];
  async resume() {}
  async decodeAudioData(bytes) { return { duration: bytes.byteLength / 100, numberOfChannels: 1, sampleRate: 100 }; }
  gains = []; // the first is where all tracks come together
  createGain() {
    this.gains.push(new Parameter());
    return Object.assign(new Node(), { gain: this.gains.at(-1) });
  }
  createBufferSource() {
    const source = Object.assign(new Node(), { start: (...times) => { source.times = times; }, stop: () => { source.stopped = true; } });
    this.sources.push(source);
    return source;
  }
}
globalThis.AudioContext = FakeContext;
globalThis.fetch = async (url) => ({ ok: true, arrayBuffer: async () => new ArrayBuffer(Number(new URL(url).searchParams.get('n'))) });

const clip = { id: 'base', url: 'http://x/a?n=2000', start: 0 }; // 20 s
const take = { id: 't1', url: 'http://x/b?n=600', start: 4 }; // 4-10 s
const other = { id: 't2', url: 'http://x/c?n=600', start: 4 };

const players = [];
afterEach(() => players.splice(0).forEach((player) => player.pause())); // a failed test must not leave a timer behind

async function ready(tracks = [clip, take, other]) {
  const player = new Player();
  players.push(player);
  await player.setTracks(tracks);
  return player;
}

test('a take sounds inside its stretch, the clip outside', async () => {
  const { tracks } = await ready();
  assert.equal(audible(tracks, 't1', 3.9), 'base');
  assert.equal(audible(tracks, 't1', 4), 't1');
  assert.equal(audible(tracks, 't1', 10), 'base');
  assert.equal(audible(tracks, 'base', 5), 'base');
  assert.deepEqual(boundaries(tracks, 't1', 0, 20), [4, 10]);
  assert.deepEqual(boundaries(tracks, 't1', 5, 20), [10]);
  assert.deepEqual(boundaries(tracks, 'base', 0, 20), []);
});

test('a generated clip is alone: the timeline\'s clip is silent beside it', async () => {
  const { tracks } = await ready([clip, { ...take, start: 0, whole: true }]);
  assert.equal(audible(tracks, 't1', 3), 't1');
  assert.equal(audible(tracks, 't1', 8), null);
});

test('all tracks of a pass begin sample-aligned on one clock', async () => {
  const player = await ready();
  await player.play(2);
  const at = player.anchor;
  const [base, first, second] = player.context.sources.map(({ times }) => times);
  assert.deepEqual(base, [at, 2, 18]);
  assert.deepEqual(first, [at + 2, 0, 6]); // its first sample falls on second 4 of the clip
  assert.deepEqual(second, first);
});

test('switching keeps every source running and takes 5 ms', async () => {
  const player = await ready();
  await player.play(5);
  const { anchor, context } = player;
  const count = context.sources.length;
  context.currentTime = anchor + 1;
  const before = player.position;
  player.select('t1');
  assert.equal(player.anchor, anchor);
  assert.equal(player.position, before);
  assert.equal(context.sources.length, count);
  assert.ok(context.sources.every((source) => !source.stopped));
  const ramps = (index) => context.gains[1 + index].events.filter(({ kind }) => kind === 'ramp');
  const [down] = ramps(0);
  const [up] = ramps(1);
  assert.deepEqual([down.value, up.value], [0, 1]); // the clip goes, the take comes
  assert.ok(Math.abs(down.at - context.currentTime - 0.005) < 1e-9 && up.at === down.at);
  assert.deepEqual(ramps(1).map(({ value }) => value), [1, 0]); // and at its end the clip takes over again
  assert.ok(Math.abs(ramps(1)[1].at - (anchor + 5 + 0.005)) < 1e-9);
  player.select('t2');
  assert.equal(player.position, before);
});

test('a loop begins again exactly where it ends', async () => {
  const player = await ready();
  player.setLoop({ start: 4, end: 6 });
  await player.play(4);
  const first = player.anchor;
  player.context.currentTime = first + 1.8;
  await new Promise((resolve) => setTimeout(resolve, 90)); // the player looks ahead every 40 ms
  const again = player.context.sources.slice(3).map(({ times }) => times);
  assert.ok(Math.abs(again[0][0] - (first + 2)) < 1e-9);
  assert.deepEqual(again[0].slice(1), [4, 2]);
  player.context.currentTime = first + 2.5;
  assert.ok(Math.abs(player.position - 4.5) < 1e-9);
});

test('a repeat that comes late, because the page was busy, sounds where the playhead is', async () => {
  const player = await ready();
  player.setLoop({ start: 4, end: 6 });
  await player.play(4);
  player.context.currentTime = player.anchor + 2.7;
  await new Promise((resolve) => setTimeout(resolve, 90));
  const [at, from] = player.context.sources.slice(3)[0].times;
  assert.ok(at >= player.context.currentTime && from === 4); // Web Audio would begin at once what lies in the past
  player.context.currentTime = at + 1;
  assert.ok(Math.abs(player.position - 5) < 1e-9);
});

test('pausing keeps the place, seeking moves it, the end is the end', async () => {
  const player = await ready();
  await player.play(3);
  player.context.currentTime = player.anchor + 2;
  player.pause();
  assert.equal(player.position, 5);
  player.seek(99);
  assert.equal(player.position, 20);
});

test('a take that arrives while playing joins in step', async () => {
  const player = await ready([clip]);
  await player.play(5);
  player.context.currentTime = player.anchor + 1;
  await player.setTracks([clip, take]);
  const [base, joined] = player.context.sources.slice(1).map(({ times }) => times);
  assert.ok(Math.abs(base[1] - base[0] - (joined[1] + 4 - joined[0])) < 1e-9); // same clip time at the same clock time
});

test('audio that is replaced sounds until the new is there, and the place is kept', async () => {
  const player = await ready([clip, take]);
  await player.play(5);
  player.context.currentTime = player.anchor + 1;
  const change = player.setTracks([{ ...clip, url: 'http://x/kept?n=2000' }, take]);
  assert.equal(player.tracks.get('base').url, clip.url);
  await change;
  assert.equal(player.tracks.get('base').url, 'http://x/kept?n=2000');
  assert.ok(player.playing && Math.abs(player.position - 6) < 0.02);
});

test('choosing a take that lies behind does not interrupt', async () => {
  const player = await ready();
  await player.play(12);
  const { anchor } = player;
  player.select('t1');
  assert.equal(player.anchor, anchor);
  assert.equal(audible(player.tracks, 't1', player.position), 'base');
});

test('a muted mix keeps its clock, and comes back where it is', async () => {
  const player = await ready();
  await player.play(2);
  const { sources } = player.context;
  const gains = player.context.gains.slice(1);
  player.mute(true);
  assert.deepEqual(gains.map(({ value }) => value), gains.map(() => 0));
  assert.ok(sources.every(({ stopped }) => !stopped) && player.playing);
  player.mute(false);
  assert.equal(gains.filter(({ value }) => value === 1).length, 1);
});

test('what lies before 0 is played from its beginning, in step with the clip', async () => {
  const intro = { id: 'i1', url: 'http://x/i?n=2400', start: -4, whole: true }; // 4 s before the clip, then the clip
  const player = await ready([clip, intro]);
  player.select('i1');
  player.seek(-9);
  assert.equal(player.position, -4);
  await player.play(-4);
  const [whole, base] = [...player.context.sources].sort((a, b) => b.times[2] - a.times[2]);
  assert.deepEqual(whole.times.slice(1), [0, 24]);
  assert.equal(base.times[0] - whole.times[0], 4); // the clip's own 0 comes four seconds later
  assert.deepEqual(base.times.slice(1), [0, 20]);
  assert.equal(player.position, -4);
  player.pause();
  await player.setTracks([clip]);
  player.seek(-1);
  assert.equal(player.position, 0);
});

test('a browser without an output is told of, and the next press tries again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const player = await ready();
  player.context.state = 'suspended';
  player.context.resume = () => new Promise(() => {}); // as Firefox does it
  const told = [];
  player.addEventListener('failed', ({ detail }) => told.push(detail.message));
  const press = player.play();
  await Promise.resolve();
  t.mock.timers.tick(3000);
  await press;
  assert.equal(player.playing, false);
  assert.match(told[0], /^The browser found no output for sound/);
  player.context.resume = async () => {};
  await player.play();
  assert.equal(player.playing, true);
});
