/** The transport under the lanes: play, loop, time, what is heard (mix, lanes, click), and what is said. */

import { desk } from '../store/desk.js';
import { icons, tag } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';
import { METER } from '../sound/meter.js';
import { barWords, formatClock } from '../music/time.js';

export const TRANSPORT = html`
<div class="transport">
  <button class="ic" data-action="rewind" title="Back to the start (Home)" aria-label="Back to the start">${icons.rewind}</button>
  <button class="play" data-action="play" title="Play or pause (Space)" aria-label="Play">${icons.play}</button>
  <button class="ic" data-action="loop" title="Loop the span (L)" aria-label="Loop the span" aria-pressed="false">${icons.loop}</button>
  <output class="time" aria-label="Time" aria-live="off"></output><span class="bar"></span>
  <span class="rule"></span>
  <button class="pill chip" data-action="mix" aria-pressed="true" title="Hear the clip or the take">${icons.phones}<span>Mix</span></button>
  <button class="pill chip" data-action="preview" aria-pressed="false" title="Hear the lanes through a synth (P)"><span>Lanes synth</span></button>
  <button class="pill chip" data-action="click" aria-pressed="false" title="Hear a click on the beats (⇧P)"><span>Click</span></button>
  <span class="hearing"></span>
  <p class="notice" role="alert"></p>
  ${METER}
</div>`;

export class Transport {
  #words = ['', '']; // time and bar as they stand on the page

  constructor(timeline, host) {
    this.timeline = timeline;
    this.host = host;
    this.mix = true;
  }

  find(selector) {
    return this.host.querySelector(selector);
  }

  draw() {
    const { playing, tracks } = desk.player;
    const play = this.find('.play');
    if (play.dataset.playing !== String(playing)) {
      play.dataset.playing = playing;
      render(play, playing ? icons.pause : icons.play);
      play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    }
    play.disabled = !tracks.size;
    for (const [action, pressed] of [['loop', desk.looping], ['mix', this.mix], ['preview', desk.synth.on], ['click', desk.synth.click]]) {
      this.find(`[data-action=${action}]`).setAttribute('aria-pressed', pressed);
    }
    this.find('[data-action=mix] span').textContent = desk.track?.kind === 'take' ? 'Take' : desk.track ? 'Original' : 'Mix';
    this.find('[data-action=mix]').disabled = !desk.doc.clip;
    const { track } = desk;
    const words = track?.kind === 'take' ? html`${tag(track.engine)} <span class="num">seed ${track.seed}</span>` : html``;
    refresh(this.find('.hearing'), words);
  }

  /** The time at the playhead, in seconds; while it is counted in, the beat. */
  tell(position, counted = null) {
    desk.meter.draw(this.host, desk.player.channels);
    const words = [formatClock(position), counted ? `count ${counted.beat} of ${counted.of}` : `bar ${barWords(desk.doc.grid, position)}`];
    ['.time', '.bar'].forEach((place, i) => {
      if (words[i] !== this.#words[i]) this.find(place).textContent = this.#words[i] = words[i];
    });
  }

  togglePreview() {
    desk.synth.on = !desk.synth.on;
    if (!desk.synth.on) desk.synth.silence();
  }

  toggleClick() {
    desk.synth.click = !desk.synth.click;
    if (!desk.synth.click) desk.synth.silence();
  }

  toggleMix() {
    this.mix = !this.mix;
    desk.player.mute(!this.mix);
  }
}
