import test from 'node:test';
import assert from 'node:assert/strict';
import * as time from '../../assets/page/music/time.js';

const grid = { bpm: 120, beats_per_bar: 4, offset: 0 };
const late = { bpm: 100, beats_per_bar: 3, offset: 0.25 };

test('pixels and seconds are each other\'s inverse', () => {
  const view = { start: 1.5, pps: 80 };
  assert.equal(time.timeToX(view, 2.5), 80);
  assert.equal(time.xToTime(view, 80), 2.5);
});

test('beats and seconds follow tempo and offset', () => {
  assert.equal(time.secondsToBeats(grid, 3), 6);
  assert.ok(Math.abs(time.beatsToSeconds(late, 5) - 3.25) < 1e-12);
});

test('zooming keeps the time under the pointer', () => {
  const view = { start: 2, pps: 100 };
  const zoomed = time.zoomAt(view, 2, 300, 60, 1000);
  assert.equal(zoomed.pps, 200);
  assert.ok(Math.abs(time.xToTime(zoomed, 300) - time.xToTime(view, 300)) < 1e-9);
});

test('a view stays inside the clip', () => {
  assert.deepEqual(time.clampView({ start: -3, pps: 100 }, 20, 500), { start: 0, pps: 100 });
  assert.deepEqual(time.clampView({ start: 19, pps: 100 }, 20, 500), { start: 15, pps: 100 });
  assert.equal(time.clampView({ start: 0, pps: 1 }, 20, 500).pps, 25); // never wider than the clip
});

test('snapping: beat, bar, frame, off, and the end of the clip', () => {
  assert.equal(time.snapTime(1.99, 'beat', grid, 25, 16), 2);
  assert.equal(time.snapTime(2.9, 'bar', grid, 25, 16), 2);
  assert.equal(time.snapTime(1.33, 'frame', grid, 25, 16), 1.32);
  assert.equal(time.snapTime(1.33, 'off', grid, 25, 16), 1.33);
  assert.equal(time.snapTime(0.9, 'beat', late, 25, 16), 0.85); // beats begin at the offset
  assert.equal(time.snapTime(15.9, 'bar', grid, 25, 15.95), 15.95); // nearer than bar 9
  assert.equal(time.snapTime(99, 'beat', grid, 25, 16), 16);
});

test('a dragged span is ordered, on the grid and never shorter than two frames', () => {
  assert.deepEqual(time.spanFrom(5.03, 1.99, 'beat', grid, 25, 16), { start: 2, end: 5 });
  const tiny = time.spanFrom(3, 3.001, 'off', grid, 25, 16);
  assert.ok(tiny.end - tiny.start >= 0.08 - 1e-9);
  const atEnd = time.spanFrom(15.99, 16, 'beat', grid, 25, 16);
  assert.deepEqual(atEnd, { start: 15.5, end: 16 });
});

test('bars and beats count from one', () => {
  assert.deepEqual(time.barBeat(grid, 0), { bar: 1, beat: 1 });
  assert.deepEqual(time.barBeat(grid, 6), { bar: 4, beat: 1 });
  assert.equal(time.barWords(late, 0.25 + 4 * 0.6), '2.2');
});

test('ruler labels never stand closer than 64 pixels', () => {
  for (const pps of [5, 20, 90, 700]) {
    const labels = time.ticks(grid, { start: 0, pps }, 1000, 300).filter((tick) => tick.label);
    for (let i = 1; i < labels.length; i++) assert.ok((labels[i].time - labels[i - 1].time) * pps >= 64 - 1e-6);
    assert.ok(labels.length > 0);
  }
});

test('words for times', () => {
  assert.equal(time.formatSpan({ start: 6, end: 9.5 }), '6.00–9.50 s');
  assert.equal(time.formatClock(64.636), '1:04.64');
  assert.equal(time.formatClock(59.999), '1:00.00');
  assert.equal(time.formatLength(32.4), '0:32');
  assert.equal(time.formatShort(2.5), '2.5 s');
});

test('the models hear at most their window, the span in its middle where the clip allows', () => {
  assert.deepEqual(time.heard({ start: 6, end: 9 }, 30, 10, 25), { start: 2.52, end: 12.52, frames: 250 });
  assert.deepEqual(time.heard({ start: 0, end: 2 }, 30, 10, 25), { start: 0, end: 10, frames: 250 });
  assert.deepEqual(time.heard({ start: 3, end: 4 }, 6, 10, 25), { start: 0, end: 6, frames: 150 });
  const off = time.heard({ start: 1.03, end: 2 }, 6, 10, 25); // the frames begin with the span, not with the clip
  assert.ok(Math.abs(off.start - 0.03) < 1e-9);
  assert.equal(off.frames, 149);
});

test('a deep zoom has ticks at round decimals, none where a bar says its own', () => {
  assert.deepEqual(time.fineTicks({ start: 0, pps: 100 }, 1000, 16, grid), []);
  const fine = time.fineTicks({ start: 2.1, pps: 2000 }, 1000, 16, grid);
  assert.deepEqual(fine.slice(0, 3).map(({ label }) => label), ['2.1 s', '2.15 s', '2.2 s']);
  assert.equal(time.fineTicks({ start: 1.9, pps: 2000 }, 1000, 16, grid).find((tick) => Math.abs(tick.time - 2) < 1e-9).label, '');
});

test('the view zooms to single samples and no deeper', () => {
  const view = time.zoomAt({ start: 0, pps: 100 }, 1e9, 0, 16, 1000);
  assert.ok(view.pps >= 48_000 && view.pps <= 1e6);
  assert.equal(time.snapStep('quarter', grid, 25), 0.125);
});

test('what lies before the clip has times and bars of its own', () => {
  assert.equal(time.formatClock(-2.5), '−0:02.50');
  assert.equal(time.formatClock(-0.001), '0:00.00');
  assert.equal(time.formatSpan({ start: -4, end: -0.001 }), '−4.00–0.00 s');
  assert.equal(time.formatShort(-1.5), '−1.5 s');
  assert.equal(time.barWords(grid, -0.5), '0.4');
  const before = time.ticks(grid, { start: -4, pps: 100 }, 600, 2).filter(({ label }) => label);
  assert.deepEqual(before.map(({ time: at, bar }) => [at, bar]), [[-4, -1], [-2, 0], [0, 1], [2, 2]]);
  const late2 = time.ticks({ ...grid, offset: 0.5 }, { start: 0, pps: 100 }, 600, 2);
  assert.ok(late2.every(({ time: at }) => at >= 0));
});
