import test from 'node:test';
import assert from 'node:assert/strict';
import { Meter, share } from '../../assets/page/sound/meter.js';
import { integrated, kWeighting, momentary } from '../../assets/page/sound/loudness.js';

test('a bar goes from -60 dB to full scale', () => {
  assert.deepEqual([-90, -60, -30, 0, 3].map(share), [0, 0, 0.5, 1, 1]);
});

const RATE = 48000;
const tone = (amplitude, hertz = 997) => Float32Array.from({ length: RATE }, (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / RATE));

/** What an IIR filter node does. */
function filtered(samples, { b, a }) {
  const out = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const x = (k) => samples[i - k] ?? 0;
    const y = (k) => out[i - k] ?? 0;
    out[i] = b[0] * x(0) + b[1] * x(1) + b[2] * x(2) - a[0] * y(1) - a[1] * y(2);
  }
  return out;
}

test('a steady tone is as loud in a moment as in all', () => {
  const channels = [tone(0.1), tone(0.05)];
  const weighted = channels.map((samples) => kWeighting(RATE).reduce(filtered, samples).subarray(RATE - 0.4 * RATE));
  assert.ok(Math.abs(momentary(weighted) - integrated(channels, RATE)) < 0.1);
  assert.ok(Math.abs(momentary(weighted.slice(0, 1)) - (-0.691 - 20 - 3.01 + 0.69)) < 0.1); // BS.1770: 0 dBFS at 997 Hz is -3.01 LKFS
});

test('silence has no loudness', () => {
  assert.equal(momentary([new Float32Array(100)]), -Infinity);
});

/** What stands for an element with a meter. */
function place() {
  const bars = [0, 1].map(() => ({ style: { transform: '' }, classList: { toggle() {} } }));
  const words = { textContent: '' };
  const meter = { attributes: {}, setAttribute(name, value) { this.attributes[name] = value; } };
  return { bars, words, meter, querySelectorAll: () => bars, querySelector: (what) => (what === '.lufs' ? words : meter) };
}

test('at a stop the meter rests at once, also in the view that is left', () => {
  const node = class { connect(next) { return next; } };
  class Analyser extends node {
    constructor(_, { fftSize }) { super(); this.fftSize = fftSize; }
    getFloatTimeDomainData(samples) { samples.fill(0.5); }
  }
  Object.assign(globalThis, { AnalyserNode: Analyser, IIRFilterNode: node, ChannelSplitterNode: node });
  const player = { playing: true, context: { sampleRate: RATE }, output: new node() };
  const meter = new Meter(player);
  const [edit, listen] = [place(), place()];
  for (let now = 1000; now < 2000; now += 20) meter.draw(edit, 2, now);
  assert.match(edit.words.textContent, /LUFS/);
  assert.notEqual(edit.bars[0].style.transform, 'scaleX(0.000)');
  meter.draw(listen, 2, 2020);
  assert.equal(edit.bars[0].style.transform, 'scaleX(0.000)');
  assert.equal(edit.words.textContent, '');
  for (let now = 2040; now < 2400; now += 20) meter.draw(listen, 2, now);
  player.playing = false;
  meter.draw(listen, 2, 2420);
  assert.equal(listen.words.textContent, ''); // the figure goes with the sound
  for (let now = 2440; now < 2800; now += 20) meter.draw(listen, 2, now);
  assert.equal(listen.bars[0].style.transform, 'scaleX(0.000)');
  assert.equal(listen.meter.attributes['aria-valuetext'], 'Silent');
});
