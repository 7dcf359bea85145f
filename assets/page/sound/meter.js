/**
 * The level meter: the peaks of what sounds now, left and right, and its momentary loudness (BS.1770-4, 0.4 s).
 * Listens to the player's output; owns its Web Audio nodes, made when something first plays.
 */

import { kWeighting, momentary, peak } from './loudness.js';
import { html } from '../parts/markup.js';

const FLOOR = -60; // dB, the left end of the bars
const FALL = 24; // dB a second that a bar falls by while something plays
const REST = 240; // and once it has stopped: nothing sounds, and nothing may look as if it did
const BLOCK = 0.4; // seconds
const WORDS = 0.2; // seconds between two figures, so that they can be read

/** Share of a bar for a level in dB of full scale. */
export const share = (db) => Math.min(1, Math.max(0, 1 - db / FLOOR));

/** Markup of a meter; `Meter.draw` moves it. */
export const METER = html`<span class="meter" role="meter" aria-label="Level" aria-valuemin="${FLOOR}" aria-valuemax="0" aria-valuenow="${FLOOR}" title="Peaks left and right, and loudness now (BS.1770, 0.4 s)">
  <span class="num lufs"></span><span class="bars"><i></i><i></i></span></span>`;

export class Meter {
  #player;
  #nodes = null; // {peaks: [2 analysers], weighted: [2 analysers]}
  #levels = [FLOOR, FLOOR];
  #drawn = 0; // time of the last frame, ms
  #told = 0; // time of the last figure
  #host = null; // where it stands now: another view has another

  constructor(player) {
    this.#player = player;
  }

  /** Whether the bars move: something sounds, or has just stopped. */
  get moves() {
    return this.#player.playing || Math.max(...this.#levels) > FLOOR;
  }

  #make() {
    const { context, output } = this.#player;
    const part = (from, channel, size) => {
      const analyser = new AnalyserNode(context, { fftSize: size, smoothingTimeConstant: 0 });
      from.connect(analyser, channel);
      return analyser;
    };
    const [shelf, cut] = kWeighting(context.sampleRate)
      .map(({ b, a }) => new IIRFilterNode(context, { feedforward: b, feedback: [1, ...a] }));
    const [raw, heavy] = [0, 1].map(() => new ChannelSplitterNode(context, { numberOfOutputs: 2 }));
    output.connect(raw);
    output.connect(shelf).connect(cut).connect(heavy);
    this.#nodes = {
      peaks: [0, 1].map((channel) => part(raw, channel, 2048)),
      weighted: [0, 1].map((channel) => part(heavy, channel, 32768)),
    };
  }

  #read(analysers, length) {
    return analysers.map((analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return samples.subarray(Math.max(0, samples.length - length));
    });
  }

  /** Moves a meter in `host`, once a frame. `channels` of what plays: mono lies on both bars. */
  draw(host, channels, now = performance.now()) {
    const { playing } = this.#player;
    if (host !== this.#host) this.#turn(host);
    if (!playing && this.#told) {
      this.#tell(host, null);
      this.#told = 0;
    }
    if (!playing && Math.max(...this.#levels) <= FLOOR) return;
    if (!this.#nodes) this.#make();
    const seconds = Math.min(0.1, (now - this.#drawn) / 1000);
    this.#drawn = now;
    const tops = this.#read(this.#nodes.peaks, 2048).map((samples) => 20 * Math.log10(Math.max(peak([samples]), 1e-6)));
    if (channels === 1) tops[1] = tops[0];
    tops.forEach((top, i) => {
      this.#levels[i] = Math.max(playing ? top : FLOOR, this.#levels[i] - (playing ? FALL : REST) * seconds, FLOOR);
    });
    this.#bars(host, this.#levels);
    if (!playing || now - this.#told < 1000 * WORDS) return;
    const weighted = this.#read(this.#nodes.weighted, Math.round(BLOCK * this.#player.context.sampleRate));
    this.#tell(host, momentary(channels === 1 ? weighted.slice(0, 1) : weighted));
    this.#told = now;
  }

  #bars(host, levels) {
    host.querySelectorAll('.bars i').forEach((bar, i) => {
      bar.style.transform = `scaleX(${share(levels[i]).toFixed(3)})`;
      bar.classList.toggle('full', levels[i] > -0.1);
    });
  }

  /** It stands in another view from now on: what it left in the last one goes. */
  #turn(host) {
    if (this.#host) {
      this.#bars(this.#host, [FLOOR, FLOOR]);
      this.#tell(this.#host, null);
    }
    this.#host = host;
  }

  #tell(host, lufs) {
    const words = lufs !== null && Number.isFinite(lufs) ? `${lufs.toFixed(1).replace('-', '−')} LUFS` : '';
    host.querySelector('.lufs').textContent = words;
    const meter = host.querySelector('.meter');
    meter.setAttribute('aria-valuenow', Math.round(Math.max(...this.#levels)));
    meter.setAttribute('aria-valuetext', words ? `${Math.round(Math.max(...this.#levels))} dB, ${words}` : 'Silent');
  }
}
