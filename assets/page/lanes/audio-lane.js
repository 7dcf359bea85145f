/**
 * The audio lane: the clip's waveform with the span in yellow (or in an engine's colour while one of its
 * takes is heard), what the models hear, the progress of a run, and the empty state.
 */

import { desk } from '../store/desk.js';
import { icons } from '../parts/icons.js';
import { html, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { boxOf, drawWave, hatch, prepare } from '../parts/wave.js';
import { loudest } from '../sound/peaks.js';
import { drawPeaks, spansOf } from '../takes/track-wave.js';
import { chooseFile } from '../shell/upload.js';
import { heard, ticks, timeToX } from '../music/time.js';

const EMPTY = html`
<div class="empty">
  <div class="ways">
    <section>
      <h2>Describe one</h2>
      <p>Say it at the right, draw lanes if you like, then <b>Generate</b>.</p>
      <div class="tries">
        <button data-try="warm electric piano, brushed drums, upright bass">Lo-fi trio, late night</button>
        <button data-try="nylon guitar, soft percussion, bossa nova">Nylon guitar bossa</button>
        <button data-try="analog synth pads, slow build, deep bass">Analog synth, slow build</button>
      </div>
    </section>
    <section class="drop">
      <h2>Or bring a recording</h2>
      <p>Drop a WAV, FLAC, OGG, MP3 or MIDI file anywhere here.</p>
      <button class="choose">${icons.file}<span>Choose a file</span></button>
    </section>
  </div>
</div>`;

/** [from, to) cut at what was changed: [[start, end, whether it was]], in order. */
function alternating(from, to, changed) {
  const out = [];
  let at = from;
  for (const [left, right] of changed) {
    const [start, end] = [Math.max(at, left), Math.min(to, right)];
    if (end <= start) continue;
    out.push([at, start, false], [start, end, true]);
    at = end;
  }
  return [...out, [at, to, false]];
}

export class AudioLane {
  name = ''; // nothing on it can be chosen, unlike on the lanes with names
  constructor(timeline, host, head) {
    this.timeline = timeline;
    this.host = host;
    render(host, html`<canvas></canvas><div class="run"></div>${EMPTY}`);
    this.canvas = host.querySelector('canvas');
    this.run = host.querySelector('.run');
    this.empty = host.querySelector('.empty');
    render(head, html`<b>Audio</b><span class="soft"></span><div class="foot"><button class="ic" title="Bring another recording, or drop one" aria-label="Bring another recording">${icons.file}</button><button class="ic" data-action="record" title="Record from the microphone or a MIDI keyboard (⇧R)" aria-label="Record">${icons.mic}</button></div>`);
    this.words = head.querySelector('.soft');
    this.open = head.querySelector('button');
    for (const button of [this.open, host.querySelector('.choose')]) button.addEventListener('click', () => chooseFile());
    host.addEventListener('click', (event) => {
      const words = event.target.closest('[data-try]')?.dataset.try;
      if (words) desk.tell('prompt', { words });
    });
  }

  draw(colour) {
    const { doc } = desk;
    const { view, duration } = this.timeline;
    const { region } = this.timeline;
    this.empty.hidden = Boolean(doc.clip);
    this.open.hidden = !doc.clip;
    const { c, width, height } = prepare(this.canvas, boxOf(this.canvas));
    c.fillStyle = colour('lane');
    c.fillRect(0, 0, width, height);
    const end = Math.min(width, timeToX(view, duration));
    for (const tick of ticks(doc.grid, view, width, duration)) {
      if (tick.beat !== 1) continue;
      c.fillStyle = colour('line');
      c.fillRect(Math.round(timeToX(view, tick.time)), 0, 1, height);
    }
    const base = desk.pyramid('base');
    const gain = base ? Math.min(8, 0.92 / Math.max(loudest(base), 0.05)) : 1;
    const shape = { middle: height / 2, half: height / 2 - 14, gain };
    if (!doc.clip) {
      this.words.textContent = 'None yet';
      desk.record?.paint(c, view, height, colour);
      this.run.hidden = true;
      return;
    }
    this.words.textContent = doc.clip.label || 'Clip';
    this.words.title = doc.clip.label;
    if (!region) this.#drawParts(c, colour, base, shape, [{ from: 0, to: end }]);
    else this.#drawAround(c, colour, { base, region, width: end, height, shape });
    if (!base) {
      c.fillStyle = colour('faint');
      c.font = `400 12px ${colour('font')}`;
      c.fillText('Reading the audio …', 12, height / 2);
    }
    desk.record?.paint(c, view, height, colour);
    this.#drawRun(region);
  }

  #drawAround(c, colour, { base, region, width, height, shape }) {
    const { view, duration } = this.timeline;
    const hears = heard(region, duration, desk.doc.window, desk.doc.frame_rate);
    const [from, to] = [timeToX(view, region.start), timeToX(view, region.end)];
    const [first, last] = [timeToX(view, hears.start), timeToX(view, hears.end)];
    c.fillStyle = colour('span-tint');
    c.fillRect(from, 0, to - from, height);
    const busy = desk.group?.tracks.find(({ state, peaks, region: place }) => state === 'running' && peaks?.length && place?.start === region.start && place?.end === region.end);
    // A take that is being written grows over the old sound, which stays where it has not come yet.
    const grown = busy ? Math.min(to, from + busy.peaks.length * busy.peak_seconds * view.pps) : from;
    this.#drawParts(c, colour, base, shape, [
      { from: 0, to: Math.min(first, width), alpha: 0.4 },
      { from: Math.max(0, first), to: Math.min(from, width) },
      { from: Math.max(0, from, grown), to: Math.min(to, width), ink: 'span-wave', alpha: busy ? 0.4 : 1 },
      { from: Math.max(0, to), to: Math.min(last, width) },
      { from: Math.max(0, last), to: width, alpha: 0.4 },
    ]);
    if (busy) drawPeaks(c, busy, { from, room: to - from, view, height, gain: shape.gain, ink: colour(engineOf(busy.engine).token) });
    hatch(c, 0, 0, Math.min(first, width), height, colour('line'));
    hatch(c, Math.max(0, last), 0, width - Math.max(0, last), height, colour('line'));
    c.fillStyle = colour('text');
    c.fillRect(Math.max(0, first), 4, Math.min(last, width) - Math.max(0, first), 3);
    this.#label(c, colour, `Models hear ${hears.start.toFixed(1)}–${hears.end.toFixed(1)} s`, Math.max(0, first) + 8, Math.min(from, last));
    if (last < width - 80) this.#label(c, colour, 'Not heard', last + 8, width);
    if (first > 80) this.#label(c, colour, 'Not heard', 8, first);
  }

  /** Stretches of the clip; where the take that is heard changed it, the take in its engine's colour. */
  #drawParts(c, colour, base, shape, parts) {
    const { view } = this.timeline;
    const { track } = desk;
    const own = track?.kind === 'take' && track.region ? desk.pyramid(track.id) : null;
    const changed = own ? spansOf(track).map(({ start, end }) => [timeToX(view, start), timeToX(view, end)]) : [];
    for (const { from, to, ink = 'wave', alpha = 1 } of parts) {
      for (const [start, end, isOwn] of alternating(from, to, changed)) {
        const sound = isOwn ? own : base;
        drawWave(c, sound, view, { ...shape, from: start, to: end, colour: colour(isOwn ? engineOf(track.engine).token : ink), alpha });
      }
    }
  }

  #label(c, colour, words, x, room) {
    c.font = `400 11px ${colour('font')}`;
    const wide = c.measureText(words).width;
    if (x + wide + 6 > room) return;
    c.fillStyle = colour('lane');
    c.fillRect(x - 3, 10, wide + 6, 16);
    c.fillStyle = colour('muted');
    c.textBaseline = 'middle';
    c.fillText(words, x, 18.5);
  }

  /** 4 px along the foot of the span, in the colour of the engine that works. */
  #drawRun(region) {
    const busy = desk.group?.tracks.find((track) => track.state === 'running');
    this.run.hidden = !busy || !region || !busy.region;
    if (this.run.hidden) return;
    const { view } = this.timeline;
    const left = timeToX(view, busy.region.start);
    this.run.style.cssText = `--e:var(--${engineOf(busy.engine).token});left:${left}px;width:${(busy.region.end - busy.region.start) * view.pps}px`;
    render(this.run, html`<i style="width:${(busy.progress * 100).toFixed(1)}%"></i>`);
    this.run.title = busy.note;
  }
}
