/**
 * The blind test: takes of one span as A, B, C without names or colours, rated on the paper's two scales once
 * they were heard; after the vote their names, and the means of all rounds with 95 % intervals.
 */

import { desk } from '../store/desk.js';
import { LETTERS, ORIGINAL, SCALES, ballot, hear, isOpen, isRated, missing, newRound, rate, secondsHeard } from './blind-round.js';
import { icons, tag } from '../parts/icons.js';
import { attributes, html, render } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { listening } from '../store/listening.js';
import { seamSentences } from './take-words.js';
import { drawTrack } from './track-wave.js';
import { formatSpan, timeToX } from '../music/time.js';

export const BLIND = html`
<section class="blind" aria-label="Blind test" tabindex="0">
  <div class="round">
    <header><div><h1></h1><p class="soft lead"></p></div><span class="spring"></span><div class="tools"></div></header>
    <div class="letters"></div>
    <div class="vote"></div>
    <p class="soft hint"></p>
    <div class="means"></div>
  </div>
  <div class="nothing"><h2>Nothing to rate yet</h2><p>Make takes of a span with at least two engines: here they stand without their names.</p></div>
</section>`;

const UNTOUCHED = { tag: 'GT', token: 'wave', name: 'Original' };
const methodOf = (name) => (name === 'gt' ? UNTOUCHED : engineOf(name));

/** Who made a take, once that may be known. */
function made(track, id) {
  const engine = methodOf(id === ORIGINAL ? 'gt' : track.engine);
  return html`<div class="who"><span class="tag" style="--e:var(--${engine.token})">${engine.tag}</span><b>${track.name || engine.name}</b></div><span class="soft num">${track.words}</span>`;
}

export class Blind {
  #round = null;
  #group = null; // id of the group that the round is about
  #with = sessionStorage.getItem('inlay-blind-original') === '1'; // the original among the takes
  #signature = '';
  #last = { position: 0, time: 0, id: null }; // at the look before; time on the audio clock

  constructor(takes) {
    this.takes = takes;
  }

  find(selector) {
    return this.takes.find(`.blind ${selector}`);
  }

  get #place() {
    return `inlay-blind ${desk.doc.project} ${this.#group}`;
  }

  #set(round) {
    if (round === this.#round) return;
    this.#round = round;
    sessionStorage.setItem(this.#place, JSON.stringify(round)); // a reload keeps what was rated
    this.takes.redraw();
  }

  /** The takes that can be rated: those side by side in Listen that are ready. */
  #ids() {
    const ready = listening.tracks.filter(({ kind, state }) => kind === 'take' && state === 'ready').map(({ id }) => id);
    return this.#with && !desk.group?.extends ? [...ready, ORIGINAL] : ready; // what was added has none
  }

  #track(id) {
    const tracks = desk.group?.tracks ?? [];
    return tracks.find((track) => (id === ORIGINAL ? track.kind === 'original' : track.id === id));
  }

  begin() {
    const ids = this.#ids();
    const region = desk.group?.region;
    if (!region || ids.length < 2) return;
    this.#group = desk.group.id;
    this.#set(newRound(ids, desk.loopSpan));
  }

  /** The round of the group on the page: the one under way, one from before a reload, or a new one. */
  #follow() {
    const { group } = desk;
    if (!group?.region) this.#round = this.#group = null;
    else if (this.#group !== group.id || !this.#round) {
      this.#group = group.id;
      this.#round = null;
      const stored = JSON.parse(sessionStorage.getItem(this.#place) ?? 'null');
      if (stored?.order?.every((id) => this.#track(id))) this.#round = stored;
      else this.begin();
    } else if (!this.#round.order.every((id) => this.#track(id))) {
      this.#round = null;
      this.begin(); // a take of it was deleted
    }
    return this.#round;
  }

  draw(colour) {
    const round = this.#follow();
    this.find('.round').hidden = !round;
    this.find('.nothing').hidden = Boolean(round);
    if (!round) return;
    const number = desk.rounds + (round.revealed ? 0 : 1);
    this.find('h1').textContent = round.revealed ? 'Revealed' : 'Which one was always there?';
    this.find('.lead').textContent = round.revealed
      ? `Round ${number}, span ${formatSpan(desk.group.region)}. Your vote is saved with the project.`
      : `Round ${number}. ${round.order.length} takes of the yellow span. Their names stay hidden until you vote.`;
    const playing = desk.player.playing ? desk.player.selected : null;
    // What was heard so far moves by itself; only whether it was all of it changes the cards.
    const opened = round.order.map((id) => isOpen(round, id));
    const sign = JSON.stringify([{ ...round, heard: opened }, playing, desk.player.selected, desk.results, desk.rounds, number, this.#with, desk.groups.length, desk.group.tracks.map(({ kept }) => kept)]);
    if (sign !== this.#signature) {
      this.#signature = sign;
      this.takes.replace('.blind .tools', this.#tools(round, playing));
      this.takes.replace('.blind .letters', round.order.map((id, i) => this.#card(round, id, LETTERS[i], playing)));
      this.takes.replace('.blind .vote', this.#vote(round));
      render(this.find('.hint'), round.revealed ? html`` : html`${round.order.map((_, i) => html`<kbd>${LETTERS[i]}</kbd> `)}switch &ensp; <kbd>Space</kbd> play &ensp; <kbd>Tab</kbd> to a scale, then <kbd>1</kbd>–<kbd>0</kbd>`);
      render(this.find('.means'), round.revealed || desk.rounds ? means(round.revealed) : html``);
    }
    for (const canvas of this.takes.shadowRoot.querySelectorAll('.blind .letter canvas')) {
      const track = this.#track(canvas.dataset.wave);
      const { start, end } = round.loop;
      if (track) drawTrack(canvas, track, { start, pps: canvas.clientWidth / Math.max(end - start, 0.1) }, colour, { neutral: !round.revealed });
    }
  }

  #tools(round, playing) {
    if (round.revealed) {
      return html`<button data-act="ratings" title="Every single rating as CSV">${icons.download}<span>Ratings</span></button>
        <button data-act="csv" title="The table as in the paper, as CSV">${icons.download}<span>Export CSV</span></button>
        <button data-act="next" class="primary" title="Shuffle again">Next round</button>`;
    }
    const original = desk.group.tracks.find(({ kind }) => kind === 'original');
    const hears = playing === original?.id && !round.order.includes(ORIGINAL);
    const among = desk.group.extends ? '' : html`<button data-act="with" role="switch" aria-checked="${this.#with}" title="Rate the untouched original as well, without knowing which it is"><span>Original among them</span><i class="knob"></i></button>`;
    return html`${among}${round.order.includes(ORIGINAL) ? '' : html`<button data-act="original" aria-pressed="${hears}" title="Hear the original (0)">${hears ? icons.pause : icons.play}<span>Hear the original</span> <kbd>0</kbd></button>`}`;
  }

  #card(round, id, letter, playing) {
    const track = this.#track(id);
    const selected = desk.player.selected === track.id;
    const plays = playing === track.id;
    const open = isOpen(round, id);
    const state = plays ? 'Playing' : isRated(round, id) ? 'Rated' : open ? 'Heard' : 'Not heard yet';
    const head = round.revealed ? made(track, id) : html`<div class="who stacked"><b>Take ${letter}</b><span class="soft">${state}</span></div>`;
    const button = html`<button class="ic-play" data-act="letter" data-id="${id}" aria-label="${plays ? 'Pause' : 'Hear'} take ${letter}" title="${plays ? 'Pause' : 'Hear'} take ${letter} (${letter})">${plays ? icons.pause : icons.play}</button>`;
    return html`<article class="letter ${selected && !round.revealed ? 'on' : ''}" aria-label="Take ${letter}">
      <header><span class="key">${letter}</span>${head}${button}</header>
      <div class="wave"><canvas data-wave="${id}"></canvas><i class="at" hidden></i></div>
      <div class="heard" role="progressbar" aria-label="Heard of take ${letter}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0"><i></i></div>
      ${round.revealed ? this.#told(round, id, track) : this.#scales(round, id, letter, open)}</article>`;
  }

  #scales(round, id, letter, open) {
    const total = (round.loop.end - round.loop.start).toFixed(1);
    const note = open ? html`<p class="lock">${icons.check}<span>Heard to the end, ratings open</span></p>`
      : html`<p class="lock shut">${icons.lock}<span>Ratings open after the whole loop: <span class="num so-far">${secondsHeard(round, id).toFixed(1)}</span> of ${total} s heard</span></p>`;
    const scales = SCALES.map((scale) => {
      const given = round.ratings[id]?.[scale.id];
      const buttons = Array.from({ length: 10 }, (_, i) => html`<button role="radio" data-act="rate" data-id="${id}" data-scale="${scale.id}" data-value="${i + 1}" aria-checked="${given === i + 1}" tabindex="${(given ?? 1) === i + 1 ? 0 : -1}" ${attributes({ disabled: !open })}>${i + 1}</button>`);
      return html`<fieldset ${attributes({ disabled: !open })}><legend>${scale.name}</legend><div class="ten" role="radiogroup" aria-label="${scale.name}, take ${letter}">${buttons}</div><p class="soft ends"><span>${scale.low}</span><span>${scale.high}</span></p></fieldset>`;
    });
    return html`<div class="below">${note}${scales}</div>`;
  }

  #told(round, id, track) {
    const given = SCALES.map((scale) => html`<div><dt>${scale.name}</dt><dd><b class="num">${round.ratings[id][scale.id]}</b> of 10</dd></div>`);
    const [seam] = seamSentences(track.seams ?? []);
    const words = id === ORIGINAL ? 'None: nothing was changed' : (seam?.words ?? 'No figure');
    const keep = id === ORIGINAL ? '' : html`<button data-act="keep" data-id="${track.id}" ${attributes({ disabled: track.kept })}>${track.kept ? 'Kept' : 'Keep this take'}</button>`;
    return html`<div class="below"><dl>${given}<div><dt>Seam score</dt><dd><b>${words}</b></dd></div></dl>${keep}</div>`;
  }

  #vote(round) {
    if (round.revealed) return '';
    const reason = missing(round);
    const { start, end } = round.loop;
    return html`${icons.sound}<span>Level matched${listening.target === null ? '' : ` to ${listening.target.toFixed(1).replace('-', '−')} LUFS`}, loop of ${(end - start).toFixed(1)} s</span><span class="spring"></span>
      <span class="soft" id="why">${reason}</span><button data-act="cast" class="${reason ? '' : 'primary'}" aria-describedby="why" ${attributes({ disabled: Boolean(reason) })}>Vote and reveal</button>`;
  }

  playhead(position) {
    const round = this.#round;
    if (!round) return;
    const id = round.order.find((one) => this.#track(one)?.id === desk.player.selected);
    this.#listened(round, id, position);
    this.#bars(round, id, position);
  }

  /** What was heard of a take since the look before. */
  #listened(round, id, position) {
    const { playing, context } = desk.player;
    const time = playing ? context.currentTime : 0;
    const last = this.#last;
    this.#last = { position, time, id: playing ? id : null };
    if (!id || !playing || last.id !== id || round.revealed) return;
    const next = hear(round, id, last.position, position, time - last.time);
    if (next === round) return;
    this.#round = next;
    sessionStorage.setItem(this.#place, JSON.stringify(next));
    if (isOpen(next, id) === isOpen(round, id)) return;
    this.takes.announce(`Take ${LETTERS[round.order.indexOf(id)]} heard, ratings open`);
    this.takes.redraw();
  }

  /** The playhead on what sounds, and how much of each take was heard. */
  #bars(round, id, position) {
    const { start, end } = round.loop;
    for (const wave of this.takes.shadowRoot.querySelectorAll('.blind .wave')) {
      const one = wave.querySelector('canvas').dataset.wave;
      const mine = one === id;
      const at = wave.querySelector('.at');
      at.hidden = !mine || position < start || position > end;
      at.style.transform = `translateX(${timeToX({ start, pps: wave.clientWidth / (end - start) }, position)}px)`;
      const share = secondsHeard(this.#round, one) / (end - start);
      const bar = wave.nextElementSibling;
      bar.firstElementChild.style.width = `${share * 100}%`;
      bar.setAttribute('aria-valuenow', Math.round(share * 100));
      const soFar = wave.parentElement.querySelector('.so-far');
      if (soFar) soFar.textContent = secondsHeard(this.#round, one).toFixed(1);
    }
  }

  /** A button of this view; false when it is not one. */
  press(button) {
    const { act, id, scale, value } = button.dataset;
    const acts = {
      letter: () => this.#hear(this.#track(id)),
      original: () => this.#hear(this.#track(ORIGINAL)),
      rate: () => this.#rate(id, scale, Number(value)),
      cast: () => this.cast(),
      next: () => this.begin(),
      csv: () => desk.download('blind'),
      ratings: () => desk.download('ratings'),
      with: () => {
        this.#with = !this.#with;
        sessionStorage.setItem('inlay-blind-original', this.#with ? '1' : '0');
        this.begin();
      },
    };
    if (!acts[act]) return false;
    acts[act]();
    return true;
  }

  #rate(id, scale, value) {
    this.#set(rate(this.#round, id, scale, value));
    requestAnimationFrame(() => this.find(`[data-id="${CSS.escape(id)}"][data-scale="${scale}"][data-value="${value}"]`)?.focus());
  }

  cast() {
    if (!this.#round || this.#round.revealed || missing(this.#round)) return;
    desk.send('vote', ballot(this.#round));
    this.#set({ ...this.#round, revealed: true });
  }

  #hear(track) {
    if (!track) return undefined;
    const { player } = desk;
    if (player.playing && player.selected === track.id) return player.pause();
    desk.hear(track);
    return player.playing ? undefined : desk.togglePlay();
  }

  /** A key of this view; false when it is none. Digits rate the focused scale. */
  key({ key, ctrlKey, metaKey, altKey }) {
    return ctrlKey || metaKey || altKey || !this.#round ? false : this.#answer(key);
  }

  #answer(key) {
    const focused = this.takes.shadowRoot.activeElement?.dataset ?? {};
    const { order } = this.#round;
    const letter = key.length === 1 ? order[LETTERS.indexOf(key.toUpperCase())] : undefined;
    if (letter) this.#hear(this.#track(letter));
    else if (key === ' ' && this.#plays(focused)) desk.togglePlay();
    else if (focused.act === 'rate') return this.#typed(key, focused);
    else if (key === '0' && !order.includes(ORIGINAL)) this.#hear(this.#track(ORIGINAL));
    else return /^[0-9]$/.test(key); // a digit would tell who is who
    return true;
  }

  /** Whether Space plays where the focus is: not on a button, nor on a rating that it would give. */
  #plays({ act, id, scale, value }) {
    return act === 'rate' ? this.#round.ratings[id]?.[scale] === Number(value) : !act;
  }

  /** A key on a scale: an arrow moves the rating, a digit sets it; false for any other. */
  #typed(key, { id, scale, value: now }) {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
    const digit = /^[0-9]$/.test(key) ? Number(key) || 10 : 0;
    const value = step ? Math.min(10, Math.max(1, Number(now) + step)) : digit;
    if (value) this.#rate(id, scale, value);
    return Boolean(value);
  }
}

const figure = ([mean, half]) => `${mean.toFixed(1)}${half === undefined ? '' : ` ± ${half.toFixed(1)}`}`;

/** Charts and table of all rounds. */
function means(revealed) {
  const { results, rounds } = desk;
  if (!results.length) return html``;
  const charts = SCALES.map((scale) => {
    const rows = results.map((result) => {
      const { tag: letters, token } = methodOf(result.engine);
      const [mean, half = 0] = result[scale.id];
      const place = (value) => ((Math.min(10, Math.max(1, value)) - 1) / 9) * 100;
      const [a, b] = [place(mean - half), place(mean + half)];
      return html`<li style="--e:var(--${token})"><b>${letters}</b><span class="plot" role="img" aria-label="${letters}: ${figure(result[scale.id])} of 10"><i class="whisker" style="left:${a}%;width:${b - a}%"></i><i class="dot" style="left:${place(mean)}%"></i></span><span class="num">${figure(result[scale.id])}</span></li>`;
    });
    return html`<figure><figcaption>${scale.name}</figcaption><ul>${rows}</ul><div class="axis soft num">${Array.from({ length: 10 }, (_, i) => html`<span style="left:${(i / 9) * 100}%">${i + 1}</span>`)}</div></figure>`;
  });
  const rows = results.map((result) => html`<tr><td>${result.engine === 'gt' ? html`<b>Original</b>` : html`${tag(result.engine)} ${engineOf(result.engine).name}`}</td><td>${result.words}</td><td>${result.preferred} of ${result.rounds}</td><td>${result.rounds}</td></tr>`);
  return html`<div class="panel ${revealed ? '' : 'quiet'}"><header><h2>Means over ${rounds} round${rounds === 1 ? '' : 's'}, with 95 % intervals</h2><span class="soft">${rounds < 2 ? 'Intervals from the second round on' : 'Level matched, order shuffled'}</span></header>
    <div class="charts">${charts}</div>
    <table><thead><tr><th scope="col">Engine</th><th scope="col">Time per span, median</th><th scope="col">Preferred</th><th scope="col">Rounds</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
