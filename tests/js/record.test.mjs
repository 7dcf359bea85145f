/** Recording: samples to WAV, latency, levels and count-in; keys to notes and hits. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { countedIn, latencyOf, levelWords, peakOf } from '../../assets/page/record/level.js';
import { impossible } from '../../assets/page/record/microphone.js';
import { GM_DRUMS, drumOf, hitsOf, keyOf, notesOf } from '../../assets/page/record/played.js';
import { roundTrip } from '../../assets/page/record/roundtrip.js';
import { joined, wavOf } from '../../assets/page/record/wav.js';
import { shared } from './shared.mjs';

const block = (at, ...channels) => ({ at, channels: channels.map((samples) => Float32Array.from(samples)) });

test('blocks are joined by their place on the clock; what never came is silence', () => {
  const blocks = [block(100, [1, 2, 3]), block(103, [4, 5, 6]), block(108, [9])];
  assert.deepEqual([...joined(blocks, 101, 109)[0]], [2, 3, 4, 5, 6, 0, 0, 9]);
  assert.deepEqual([...joined(blocks, 98, 101)[0]], [0, 0, 1]);
  assert.deepEqual(joined([block(0, [1, 2], [3, 4]), block(2, [5])], 0, 3).map((samples) => [...samples]), [[1, 2, 5], [3, 4, 5]]);
  assert.equal(joined([], 0, 4)[0].length, 4);
  assert.equal(joined(blocks, 5, 2)[0].length, 0);
});

test('a WAV holds the samples bit for bit', () => {
  const left = Float32Array.from([0.1, -1.5, 1e-30]);
  const right = Float32Array.from([0.25, 0, -0.3]);
  const bytes = new DataView(wavOf([left, right], 44100));
  assert.equal(bytes.byteLength, 44 + 24);
  assert.equal(bytes.getUint16(20, true), 3);
  assert.equal(bytes.getUint32(24, true), 44100);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((i) => bytes.getFloat32(44 + 4 * i, true)), [left[0], right[0], left[1], right[1], left[2], right[2]]);
});

test('latency is what the browser tells of input and output, and said where it tells none', () => {
  assert.deepEqual(latencyOf({ latency: 0.01 }, { outputLatency: 0.02, baseLatency: 0.005 }), { seconds: 0.03, known: true });
  assert.deepEqual(latencyOf({}, { outputLatency: 0, baseLatency: 0.005 }), { seconds: 0.005, known: true });
  assert.deepEqual(latencyOf(undefined, {}), { seconds: 0, known: false });
});

test('levels have words', () => {
  assert.equal(levelWords(peakOf(new Float32Array(8))), 'Silent');
  assert.equal(levelWords(-40), 'Quiet');
  assert.equal(levelWords(-7), 'Good level, peak −7 dB');
  assert.equal(levelWords(-1), 'Too loud, peak −1 dB');
  assert.equal(levelWords(-7, '0:02.10'), 'Clipped at 0:02.10');
  assert.ok(Math.abs(peakOf(Float32Array.from([0.1, -0.5])) + 6.02) < 0.01);
});

test('one bar of six is counted from one to six, the first accented', () => {
  const beats = countedIn({ bpm: 90, beats_per_bar: 6, offset: 0.3 }, 1);
  assert.deepEqual(beats.map(({ number }) => number), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(beats.map(({ accent }) => accent), [true, false, false, false, false, false]);
  assert.ok(Math.abs(beats[0].before - 4) < 1e-9 && Math.abs(beats[5].before - 60 / 90) < 1e-9);
  assert.deepEqual(countedIn({ bpm: 90, beats_per_bar: 6 }, 0), []);
});

test('what a browser cannot do is said', () => {
  assert.match(impossible({ secure: false, devices: true, worklet: true }), /https/);
  assert.match(impossible({ secure: true, devices: false, worklet: true }), /no microphone/);
  assert.match(impossible({ secure: true, devices: true, worklet: false }), /AudioWorklet/);
  assert.equal(impossible({ secure: true, devices: true, worklet: true }), '');
});

test('keys become one voice on sixteenths, in the octaves of the lane', () => {
  const keys = [
    { on: true, pitch: 60, time: 0.06 }, { on: false, pitch: 60, time: 0.9 },
    { on: true, pitch: 64, time: 1.02 }, { on: true, pitch: 30, time: 1.49 }, // before the first is let go
    { on: false, pitch: 64, time: 1.6 }, { on: true, pitch: 100, time: 3.1 }, // held until the end
  ];
  const notes = notesOf(keys, 4);
  assert.deepEqual(notes.map(({ start, end, pitch }) => [start, end, pitch]), [[0, 1, 60], [1, 1.5, 64], [1.5, 3, 54], [3, 4, 88]]);
  assert.equal(new Set(notes.map(({ id }) => id)).size, 4);
});

test('notes on one sixteenth leave the last of them, and none is without length', () => {
  const keys = [60, 62, 64].map((pitch, i) => ({ on: true, pitch, time: 2 + i * 0.01 }));
  assert.deepEqual(notesOf(keys, 2.5).map(({ start, end, pitch }) => [start, end, pitch]), [[2, 2.5, 64]]);
});

test('keys become hits: those of General MIDI, and the white keys', () => {
  const keys = [[36, 0.02], [38, 1.1], [38, 1.12], [42, -0.05], [60, 2], [61, 2.5]].map(([pitch, time]) => ({ on: true, pitch, time }));
  assert.deepEqual(hitsOf([...keys, { on: false, pitch: 36, time: 3 }], 4).map(({ time, drum }) => [time, drum]), [[0, 'kick'], [1, 'snare'], [0, 'hat'], [2, 'kick']]);
  assert.equal(drumOf(61), null);
});

test('messages other than keys say nothing, and a key struck with no force is let go', () => {
  assert.deepEqual(keyOf([0x93, 60, 64]), { on: true, pitch: 60, velocity: 64 });
  assert.equal(keyOf([0x93, 60, 0]).on, false);
  assert.equal(keyOf([0x85, 60, 64]).on, false);
  for (const message of [[0xb0, 64, 127], [0xf8], [], undefined]) assert.equal(keyOf(message), null);
});

test('General MIDI\'s drums are those that Python reads', () => assert.deepEqual(GM_DRUMS, shared('gm-drums')));

test('a delay is where all clicks come back, however loud one other noise is', () => {
  const rate = 48000;
  const clicks = [0, 0.37, 0.71, 1.13];
  const room = (delay, gain, noise = 0.001) => {
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5;
    const samples = Float32Array.from({ length: 2 * rate }, () => noise * random());
    for (const at of clicks) for (let k = 0; k < 0.02 * rate; k++) samples[Math.round((at + delay) * rate) + k] += gain * Math.sin(0.2 * k) * Math.exp(-k / 200);
    return samples;
  };
  assert.ok(Math.abs(roundTrip(room(0.043, 0.1), rate, clicks) - 0.043) <= 0.002);
  assert.ok(Math.abs(roundTrip(room(0.31, 0.02), rate, clicks) - 0.31) <= 0.002);
  const struck = room(0.1, 0.1);
  for (let k = 0; k < 0.05 * rate; k++) struck[Math.round(0.5 * rate) + k] += Math.sin(0.3 * k); // someone knocks
  assert.ok(Math.abs(roundTrip(struck, rate, clicks) - 0.1) <= 0.002);
  assert.equal(roundTrip(room(0.1, 0), rate, clicks), null);
  assert.equal(roundTrip(new Float32Array(2 * rate), rate, clicks), null);
});
