/**
 * Listen: the takes side by side under one ruler, a row each, with a bar that switches between them while
 * they play, and the picture of what the heard one changed.
 */

import { desk } from '../store/desk.js';
import { drag } from '../parts/gestures.js';
import { icons } from '../parts/icons.js';
import { attributes, html, refresh, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { listening } from '../store/listening.js';
import { METER } from '../sound/meter.js';
import { HIGH, LOW, shade } from '../sound/spectrum.js';
import { numberOf, takeLabel } from './take-words.js';
import { SORT, drawSort } from './take-cards.js';
import { rowMarkup } from './take-row-markup.js';
import { askedOf, bandByBar } from './take-band.js';
import { cellWords, stretches } from '../music/band.js';
import { drawBorders, drawTrack, inkOf, spansOf } from './track-wave.js';
import { roman } from '../music/chords.js';
import { prepare } from '../parts/wave.js';
import { barWords, beatsToSeconds, clamp, formatClock, formatShort, formatSpan, secondsToBeats, ticks, timeToX, xToTime } from '../music/time.js';

const AROUND = 2; // seconds beside the span
const CHANGE = 30; // dB, the brightest of a difference
const QUIET = -70; // dB, the darkest of a spectrogram
const NAMES = { continue: 'Continuation', intro: 'Intro', loop: 'Loop' };
const LOOPS = [[0, 'span'], [1, 'span ± 1 s'], [2, 'span ± 2 s']];

export const ROWS = html`
<section class="listen" aria-label="Listen" tabindex="0">
  <header><h2></h2><span class="soft num span-words"></span>
    <span class="picks" role="group" aria-label="Takes side by side"></span><span class="spring"></span>
    <span class="seg views" role="group" aria-label="Picture"><button data-act="waves" title="Waveforms">Waveforms</button><button data-act="spectra" title="Spectrograms">Spectrograms</button></span>
    <button class="differ" data-act="difference" title="What the take you hear has changed (Y)">Difference <kbd>Y</kbd></button>
    ${SORT}
    <span class="rule"></span>
    <button class="match" data-act="match" role="switch" title="Bring all takes to the same loudness (M)"><span>Level match</span><span class="num target"></span><i class="knob"></i></button>
    <span class="rule"></span>
    <label class="around" title="What is looped (L)">${icons.loop}<span class="long">Loop:</span><select aria-label="What is looped">${LOOPS.map(([seconds, words]) => html`<option value="${seconds}">${words}</option>`)}</select></label>
    <span class="spring"></span><span class="pager"></span>
    <span class="soft keys-hint">Switch with <kbd class="least">0</kbd>–<kbd class="most">3</kbd></span>
    <button class="to-blind" data-act="blind" title="Rate these takes without knowing who made them">${icons.lock}<span>Blind test</span></button></header>
  <div class="rows">
    <div class="scale"><div class="left soft"><span>Bar, seconds</span><span>Asked: chords</span><span class="of-band">Asked: band</span></div><div class="middle"><canvas></canvas><div class="asked"></div><div class="asked players"></div></div><div class="right soft">Seams and actions</div></div>
    <div class="tracks"></div>
    <div class="row change"><div class="left"><b></b><span class="soft">Level against the original</span><span class="ramp soft"><i></i><span>0</span><span>${CHANGE} dB</span></span></div>
      <div class="middle"><canvas></canvas><span class="soft same before">No change</span><span class="soft same after">No change</span></div>
      <div class="right"><p></p><p class="soft figures num"></p></div></div>
    <div class="line"><i></i></div>
  </div>
  <div class="nothing"><h2>Nothing to compare yet</h2><p>Select a span in Edit and press Inpaint: the takes stand here side by side.</p></div>
  <footer><button class="play" aria-label="Play" title="Play or pause (Space)">${icons.play}</button>
    <button class="ic loop" aria-label="Loop the span" aria-pressed="false" title="Loop the span and what is around it (L)">${icons.loop}</button>
    <output class="time" aria-label="Time"></output><span class="soft bar"></span>
    <div class="switch" role="group" aria-label="Switch take"></div><span class="spring"></span><span class="soft num loudness" title="Integrated loudness of what is looped"></span>${METER}</footer>
</section>`;

/** What the takes of a group are called. */
function titleOf(group) {
  if (!group) return 'Listen';
  if (NAMES[group.extends]) return NAMES[group.extends];
  if (!group.region) return 'Generated clips';
  return group.spans?.length ? `${group.spans.length} spans` : 'Span';
}

export class TakeRows {
  #signature = '';

  constructor(takes) {
    this.takes = takes;
  }

  find(selector) {
    return this.takes.find(`.listen ${selector}`);
  }

  listen(options) {
    this.find('.tracks').addEventListener('pointerdown', (event) => this.#seek(event), options);
    this.find('.around select').addEventListener('change', (event) => desk.setAround(Number(event.target.value)), options);
  }

  view() {
    // On a phone there is no scale, and every waveform is as wide as the others.
    const width = this.find('.scale .middle').clientWidth || this.find('.tracks .row:not(.original) .middle')?.clientWidth || 1;
    const region = desk.group?.region;
    const length = Math.max(desk.duration, region?.end ?? 0, ...(desk.group?.tracks ?? []).filter((t) => t.whole).map((t) => t.start + t.seconds));
    const start = region ? Math.max(Math.min(0, region.start), region.start - AROUND) : 0; // an intro lies before 0
    const end = region ? Math.min(length, region.end + AROUND) : length;
    return { start, end, pps: width / Math.max(end - start, 0.1) };
  }

  draw(group, tracks, colour) {
    const shown = tracks.filter(({ id }) => listening.tracks.some((one) => one.id === id)); // as they are sorted
    this.find('.nothing').hidden = Boolean(group);
    this.find('.rows').hidden = !group;
    this.#head(group, tracks);
    this.#tools(group, tracks);
    if (group) this.#body(group, shown, colour);
    else {
      render(this.find('.switch'), html``);
      this.#signature = '';
    }
    const play = this.find('.play');
    refresh(play, desk.player.playing ? icons.pause : icons.play);
    play.setAttribute('aria-label', desk.player.playing ? 'Pause' : 'Play');
    play.disabled = !desk.player.tracks.size;
    this.find('.loop').setAttribute('aria-pressed', desk.looping);
  }

  #head(group, tracks) {
    this.find('h2').textContent = titleOf(group);
    this.find('.span-words').textContent = group?.region ? spansOf(group).map(formatSpan).join(', ') : '';
    this.find('.least').textContent = group?.region || group?.extends ? 0 : 1;
    this.find('.most').textContent = Math.max(1, ...tracks.map((track) => track.digit ?? 0));
  }

  #body(group, shown, colour) {
    const view = this.view();
    this.#scale(group, view, colour);
    const sign = this.takes.sign(shown) + listening.ids;
    if (sign !== this.#signature) {
      this.#signature = sign;
      this.takes.moving('.row', () => this.takes.replace('.tracks', shown.map((track) => this.#row(track))));
      render(this.find('.switch'), html`${listening.tracks.map((track) => this.#switch(track))}`);
    }
    for (const track of shown) {
      this.takes.moveProgress(track);
      const canvas = this.find(`.row canvas[data-wave="${CSS.escape(track.id)}"]`);
      if (!canvas) continue;
      this.#picture(canvas, track, view, colour);
      this.#marks(canvas.parentElement, track, view);
    }
    this.#change(group, view, colour);
  }

  #tools(group, tracks) {
    const takes = tracks.filter(({ kind }) => kind === 'take');
    const ids = listening.ids;
    const picks = takes.length < 3 ? [] : takes.map((track) => html`<button data-act="pick" data-id="${track.id}" aria-pressed="${ids.includes(track.id)}" style="--e:var(--${engineOf(track.engine).token})" title="${takeLabel(track)}: side by side or not" aria-label="${takeLabel(track)}">${numberOf(track)}</button>`);
    refresh(this.find('.picks'), html`${picks}`);
    drawSort(this.find('.sort'), tracks);
    this.find('[data-act=waves]').setAttribute('aria-pressed', !listening.spectra);
    this.find('[data-act=spectra]').setAttribute('aria-pressed', listening.spectra);
    this.find('.differ').setAttribute('aria-pressed', listening.difference);
    this.find('.match').setAttribute('aria-checked', listening.matched);
    this.find('.target').textContent = listening.target === null ? '' : `${signed(listening.target)} LUFS`;
    this.find('.around select').value = desk.solo ? 0 : desk.around;
    this.find('.around').hidden = !group?.region;
    for (const part of ['.views', '.differ', '.match', '.to-blind']) this.find(part).hidden = !group;
    this.find('.differ').hidden ||= !group?.region || Boolean(group.extends);
    this.find('.to-blind').disabled = !group?.region || takes.filter(({ state }) => state === 'ready').length < 2;
  }

  #scale(group, view, colour) {
    const { c, width, height } = prepare(this.find('.scale canvas'));
    c.textBaseline = 'middle';
    for (const tick of ticks(desk.doc.grid, view, width, view.end)) {
      const x = Math.round(timeToX(view, tick.time)) + 0.5;
      c.strokeStyle = colour(tick.beat === 1 ? 'line2' : 'line');
      c.beginPath();
      c.moveTo(x, tick.beat === 1 ? 0 : height - 6);
      c.lineTo(x, height);
      c.stroke();
      if (!tick.label || x > width - 30) continue;
      c.font = `600 12px ${colour('font')}`;
      c.fillStyle = colour('text');
      c.fillText(String(tick.bar).replace('-', '−'), x + 5, 11);
      const used = c.measureText(tick.bar).width;
      c.font = `400 11px ${colour('font')}`;
      c.fillStyle = colour('muted');
      c.fillText(formatShort(tick.time), x + 11 + used, 11.5);
    }
    const cells = desk.doc.chords.map((cell) => {
      const start = beatsToSeconds(desk.doc.grid, cell.start);
      const end = beatsToSeconds(desk.doc.grid, cell.end);
      if (end <= view.start || start >= view.end) return '';
      const inside = group.region && spansOf(group).some((span) => start < span.end && end > span.start);
      const left = Math.max(0, timeToX(view, start));
      const right = Math.min(width, timeToX(view, end));
      return html`<span class="${inside ? 'in' : ''}" style="left:${left + 1}px;width:${Math.max(right - left - 3, 2)}px"><b>${cell.symbol}</b> <small>${roman(cell.symbol, desk.key)}</small></span>`;
    });
    render(this.find('.asked'), html`${cells}`);
    this.#askedBand(group, view, width);
  }

  /** Who was asked for, over who plays around it; in the span with the words that asked, where there is room. */
  #askedBand(group, view, width) {
    const { grid, band, spans } = desk.doc;
    const beats = (seconds) => secondsToBeats(grid, seconds);
    const region = group.region && { start: beats(group.region.start), end: beats(group.region.end) };
    const asked = region && askedOf(group.tracks);
    const all = stretches(band, desk.timeline?.band.rows ?? [...new Set(band.map(({ name }) => name))], { low: beats(view.start), high: beats(view.end), span: region })
      .filter(({ inside }) => !(asked && inside));
    if (asked) all.push({ ...asked, ...region, inside: true });
    const any = all.length > 0;
    this.find('.scale').classList.toggle('banded', any);
    const words = spans.find(({ start, end, prompt }) => prompt && group.region && Math.abs(start - group.region.start) < 0.01 && Math.abs(end - group.region.end) < 0.01)?.prompt ?? '';
    render(this.find('.players'), html`${all.map((one) => {
      const left = Math.max(0, timeToX(view, beatsToSeconds(grid, one.start)));
      const wide = Math.min(width, timeToX(view, beatsToSeconds(grid, one.end))) - left - 3;
      if (wide < 12) return '';
      const parts = cellWords(one, desk.shortOf, (sentence) => sentence.length * 6 < wide - 16);
      const quote = one.inside && words && wide > 300 ? html`<q>${words}</q>` : '';
      return html`<span class="${one.inside ? 'in' : ''}" style="left:${left + 1}px;width:${wide}px"><i>${parts.map((part) => part.words).join(', ').replace(/, \+/, ' +')}</i>${quote}</span>`;
    })}`);
  }

  #row(track) {
    return rowMarkup(track, {
      heard: this.takes.isHeard(track), playing: desk.player.playing && desk.track?.id === track.id, agreed: this.takes.agreement(track),
    });
  }

  /** A row's waveform, or its spectrogram with the span's borders. */
  #picture(canvas, track, view, colour) {
    if (!listening.spectra || track.state !== 'ready') return drawTrack(canvas, track, view, colour);
    const { c, width, height } = prepare(canvas);
    const picture = listening.spectrogram(track.id, view.start, view.end, Math.max(1, Math.round(width / 2)));
    if (picture) paint(c, picture, [QUIET, 0], rgb(inkOf(track, colour)), 0, width, height);
    for (const span of track.region ? spansOf(track) : []) drawBorders(c, span, view, height, colour);
    return undefined;
  }

  /** What the heard take changed, in its engine's colour; nothing outside the span, by construction. */
  #change(group, view, colour) {
    const row = this.find('.change');
    row.hidden = !isComparable(group);
    if (row.hidden) return;
    const track = desk.track?.kind === 'take' && desk.track.state === 'ready' ? desk.track : null;
    this.#changePicture(row, track, group, view, colour);
    const spans = spansOf(group);
    row.querySelector('b').textContent = track ? `What take ${numberOf(track)} changed` : 'What a take changed';
    row.querySelector('.right p').textContent = track ? `Outside the span${spans.length > 1 ? 's' : ''}: 0 dB, bit for bit` : 'Choose a take to see what it changed';
    row.querySelector('.figures').textContent = track ? louder(track, group) : '';
  }

  #changePicture(row, track, group, view, colour) {
    const ink = track ? inkOf(track, colour) : colour('muted');
    row.style.setProperty('--e', ink);
    const { c, width, height } = prepare(row.querySelector('canvas'));
    c.fillStyle = '#000';
    c.fillRect(0, 0, width, height);
    const { start, end } = group.region;
    const [from, to] = [timeToX(view, start), timeToX(view, end)];
    const change = track && listening.change(track.id, start, end, Math.max(1, Math.round((to - from) / 2)));
    if (change) paint(c, change, [3, CHANGE], rgb(ink), from, to - from, height);
    const spans = spansOf(group);
    c.fillStyle = '#000'; // between spans nothing has changed; the picture's windows reach over their borders
    for (const [i, span] of spans.slice(1).entries()) c.fillRect(timeToX(view, spans[i].end), 0, (span.start - spans[i].end) * view.pps, height);
    for (const span of spans) drawBorders(c, span, view, height, colour);
    for (const { name, left, room } of [{ name: '.before', left: 8, room: from }, { name: '.after', left: to + 8, room: width - to }]) {
      const words = row.querySelector(name);
      words.hidden = room < 80;
      words.style.left = `${left}px`;
    }
  }

  #marks(host, track, view) {
    for (const mark of host.querySelectorAll('.mark')) {
      mark.style.left = `${timeToX(view, track.seams[Number(mark.dataset.seam)].time)}px`;
    }
    const agreed = this.takes.agreement(track);
    for (const cell of host.querySelectorAll('.agree')) {
      const { from, to } = agreed.cells[Number(cell.dataset.cell)];
      cell.style.left = `${timeToX(view, from) + 1}px`;
      cell.style.width = `${Math.max(0, (to - from) * view.pps - 3)}px`;
    }
    const bars = bandByBar(track, desk.doc.grid, desk);
    for (const cell of host.querySelectorAll('.who')) {
      const { from, to } = bars[Number(cell.dataset.bar)];
      cell.style.left = `${timeToX(view, from) + 1}px`;
      cell.style.width = `${Math.max(0, (to - from) * view.pps - 3)}px`;
    }
  }

  #switch(track) {
    const pressed = desk.track?.id === track.id;
    const original = track.kind === 'original';
    return html`<button data-act="select" data-id="${track.id}" aria-pressed="${pressed}" style="--e:var(--${original ? 'text' : engineOf(track.engine).token})" class="${track.kind}" ${attributes({ disabled: track.state !== 'ready' })}>
      <b>${numberOf(track)}</b> <span>${original ? 'Original' : engineOf(track.engine).tag}</span></button>`;
  }

  playhead(position) {
    if (!desk.group) return;
    const view = this.view();
    const x = timeToX(view, position);
    const line = this.find('.line');
    const middle = this.find('.scale .middle');
    line.hidden = x < 0 || x > middle.clientWidth;
    line.style.transform = `translateX(${middle.offsetLeft + x}px)`;
    desk.meter.draw(this.find('footer'), desk.player.channels);
    this.find('.time').textContent = formatClock(position);
    this.find('.bar').textContent = `bar ${barWords(desk.doc.grid, position)}`;
    const level = desk.track && listening.level(desk.track.id);
    const gain = listening.target === null || !level ? level?.lufs : listening.target;
    this.find('.loudness').textContent = Number.isFinite(gain) ? `${signed(gain)} LUFS` : '';
  }

  #seek(event) {
    const middle = event.target.closest('.middle');
    if (!middle) return;
    const id = middle.querySelector('canvas').dataset.wave;
    const at = (now) => {
      const view = this.view();
      return clamp(xToTime(view, now.clientX - middle.getBoundingClientRect().left), view.start, view.end);
    };
    this.takes.find('.listen').focus({ preventScroll: true });
    drag(event, this.find('.tracks'), {
      click: (now) => {
        desk.hear(desk.group.tracks.find((track) => track.id === id));
        desk.player.seek(at(now));
      },
      move: (now) => desk.player.playing || desk.player.seek(at(now)),
    });
  }
}

/** Whether what its takes changed can be shown: one re-made span, and a take of it that is ready. */
function isComparable(group) {
  const ready = ({ kind, state }) => kind === 'take' && state === 'ready';
  return listening.difference && Boolean(group.region) && !group.extends && group.tracks.some(ready);
}

/** How much louder a take is than its original, once both are there. */
function louder(track, group) {
  const [take, original] = [track.id, group.tracks.find(({ kind }) => kind === 'original')?.id].map((id) => listening.level(id));
  if (!take || !original) return '';
  return `Loudness of the loop ${signed(take.lufs - original.lufs)} dB. Picture from ${LOW} Hz to ${HIGH / 1000} kHz`;
}

/** A number with its sign, a true minus among them. */
const signed = (number) => number.toFixed(1).replace('-', '−');

/** [r, g, b] of a colour in any notation that a canvas knows. */
function rgb(colour) {
  const c = new OffscreenCanvas(1, 1).getContext('2d');
  c.fillStyle = colour;
  c.fillRect(0, 0, 1, 1);
  return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Draws {values, columns, rows} between two levels into a box. */
function paint(c, { values, columns, rows }, [low, high], ink, left, width, height) {
  const picture = new OffscreenCanvas(columns, rows);
  picture.getContext('2d').putImageData(new ImageData(shade(values, columns, rows, low, high, ink), columns, rows), 0, 0);
  c.imageSmoothingEnabled = true;
  c.drawImage(picture, left, 0, width, height);
}
