/** The strip of take cards under the timeline. */

import { desk } from '../store/desk.js';
import { icons, tag } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { engineOf } from '../store/engines.js';
import { listening } from '../store/listening.js';
import { countWords, numberOf, percent, seamSentences, takeName, takeSpoken } from './take-words.js';
import { playersIn } from './take-band.js';
import { sortable, wishLine } from './wish-words.js';
import { STORY, drawScenes } from './story.js';
import { isFile } from './take-drag.js';
import { drawTrack } from './track-wave.js';

const AROUND = 1; // seconds beside the span on a card

/** How ready takes are ordered; only where there is something to sort by. */
export const SORT = html`<span class="sort" role="group" aria-label="Sort takes" hidden><span class="soft">Sort</span><span class="seg">
  <button data-act="sort" data-by="smoothest" title="The smoothest seams first (⇧O)">Smoothest</button><button data-act="sort" data-by="wish" title="What was asked and is heard first (⇧O)"><span class="closest">Closest to the&nbsp;</span><span>wish</span></button></span></span>`;

/** Shows a sort control as things are. */
export function drawSort(host, tracks) {
  host.hidden = !sortable(tracks);
  for (const button of host.querySelectorAll('button')) button.setAttribute('aria-pressed', button.dataset.by === desk.sorting);
}

/** One line of what came of a wish: icon, words, and once more where it could not be judged. */
export const wishSay = (track, { icon, words, brief = '', title, again }) => html`<p class="say wish" ${attributes({ title: title || null })}>${icons[icon]}<span><span class="whole">${words}</span>${brief ? html`<span class="brief">${brief}</span>` : ''}${again ? html` ${takeButton('judge', track, '', 'Try again', 'Listen to the take once more', { class: 'text-button' })}` : ''}</span></p>`;

export const CARDS = html`
<section class="strip" aria-label="Takes">
  <header><h2></h2><span class="count soft"></span><span class="spring"></span>
    ${SORT}<span class="pager"></span>
    <button class="match" data-act="match" role="switch" title="Bring all takes to the same loudness (M)"><span>Level match</span><i class="knob"></i></button>
    <button class="tree" data-act="tree" title="What was on the timeline, and deleted takes">Version tree</button>
    <button class="compare" title="Listen to the takes side by side (C)">Compare <kbd>C</kbd></button></header>
  <div class="cards"></div>
  <div class="story">${STORY}</div>
</section>`;

/** Actions that every take offers, on cards and in rows; `extra` are more attributes. */
export function takeButton(act, track, icon, label, title, extra = {}) {
  return html`<button data-act="${act}" data-id="${track.id}" title="${title}" ${attributes({ 'aria-label': label ? null : title, ...extra })}>${icon}${label ? html`<span>${label}</span>` : ''}</button>`;
}

/** What stops one run, and what that is called: those that wait are skipped. */
export function stopButton(track) {
  if (desk.cancelling.has(track.id)) return takeButton('stop', track, icons.close, 'Cancelling…', 'It stops at its next step', { disabled: true });
  return takeButton('stop', track, icons.close, ...(track.state === 'waiting' ? ['Skip', 'Leave this one out; the others go on'] : ['Cancel', 'Stop this one; the others go on']));
}

/** Once more what came to nothing; what a crash has interrupted may be put away, too. */
export const retryButtons = (track) => (track.state === 'interrupted'
  ? html`${takeButton('retry', track, '', 'Run again', 'Make it again with the same seed', { class: 'wide' })}${takeButton('stop', track, icons.close, '', 'Put the card away', { class: 'ic' })}`
  : takeButton('retry', track, '', 'Try again', 'Run it again'));

export const starButton = (track) =>
  takeButton('star', track, track.starred ? icons.starred : icons.star, '', track.starred ? 'Take the star away (*)' : 'Star (*)', { class: 'ic star', 'aria-pressed': Boolean(track.starred) });

/** How a take joins what is around it, or why it was chosen, with its icon. */
function seamLine(track) {
  if (track.kind === 'original') return html`${track.kept ? icons.check : icons.wave}<span>${track.kept ? 'Kept now' : 'Before these takes'}</span>`;
  const [seam] = seamSentences(track.seams);
  const icon = seam?.rough ? icons.warn : icons.check;
  if (track.why) return html`${icon}<span title="${track.why_more}">${track.why}</span>`;
  return seam ? html`${icon}<span title="${seam.title}">${seam.words}</span>` : html`${icons.wave}<span>A new clip</span>`;
}

/** Keep, again and the rest, behind a card's play button. */
const takeActions = (track) => [
  takeButton('keep', track, track.kept ? icons.check : '', track.kept ? 'Kept' : 'Keep', 'Put this take on the timeline (K)', { class: 'wide', disabled: track.kept }),
  takeButton('again', track, icons.again, '', 'Again with these settings (R)'),
  takeButton('sheet', track, icons.more, '', 'Name, settings, another seed (E) and more'),
];

export class TakeCards {
  #signature = '';

  constructor(takes) {
    this.takes = takes;
  }

  draw(group, tracks, colour) {
    const find = (selector) => this.takes.find(selector);
    find('.strip h2').textContent = group ? `Takes of ${group.label}` : 'Takes';
    find('.strip .count').textContent = countWords(tracks);
    find('.story').hidden = Boolean(group);
    find('.cards').hidden = !group;
    find('.strip .match').hidden = !group;
    find('.strip .match').setAttribute('aria-checked', listening.matched);
    find('.tree').hidden = desk.versions.length < 2 && !desk.deleted.length;
    drawSort(find('.strip .sort'), tracks);
    find('.cards').classList.toggle('wished', tracks.some((track) => wishLine(track)));
    find('.compare').disabled = !tracks.some((track) => track.kind === 'take' && track.state === 'ready');
    if (!group) {
      drawScenes(this.takes.shadowRoot.querySelectorAll('.story canvas'), colour);
      return;
    }
    const sign = this.takes.sign(tracks);
    if (sign !== this.#signature) {
      this.#signature = sign;
      this.takes.moving('.card', () => this.takes.replace('.cards', tracks.map((track) => this.#card(track))));
    }
    for (const track of tracks) this.takes.moveProgress(track);
    for (const canvas of this.takes.shadowRoot.querySelectorAll('.card canvas')) {
      const track = tracks.find(({ id }) => id === canvas.dataset.wave);
      if (track) drawTrack(canvas, track, this.#view(track, canvas), colour);
    }
  }

  #view(track, canvas) {
    const { region } = track;
    const start = region ? Math.max(Math.min(0, region.start), region.start - AROUND) : 0; // an intro lies before 0
    const end = region ? Math.min(region.end + AROUND, Math.max(desk.duration, region.end)) : track.seconds || 1;
    return { start, pps: canvas.clientWidth / Math.max(end - start, 0.1) };
  }

  #card(track) {
    const name = track.kind === 'original' ? html`<b>Original</b>` : html`${tag(track.engine)}<span class="num name" title="${[takeName(track), track.words].filter(Boolean).join(', ')}">${takeName(track)}</span>`;
    const digit = track.digit === null ? html`<span class="soft num">${numberOf(track)}</span>` : html`<kbd class="digit">${track.digit}</kbd>`;
    const time = track.kind === 'take' && track.state === 'ready' && track.words ? html`<span class="soft num spent" title="Time that it took">${track.words}</span>` : '';
    const star = track.kind === 'take' && track.state === 'ready' ? starButton(track) : '';
    const [words, actions] = this.#about(track);
    return html`<article class="card ${track.state} ${this.takes.isHeard(track) ? 'heard' : ''}" data-take="${track.id}" ${attributes({ draggable: isFile(track) ? 'true' : null })} aria-label="${takeSpoken(track)}">
      <header>${digit}${name}<span class="spring"></span>${time}${star}</header><canvas data-wave="${track.id}"></canvas>
      <div class="words">${words}</div><div class="actions">${actions}</div></article>`;
  }

  #about(track) {
    if (track.state === 'ready') return this.#ready(track);
    if (track.state === 'running' || track.state === 'waiting') {
      return [
        html`<div class="progress" style="--e:var(--${engineOf(track.engine).token})"><i></i></div><p class="say note">${track.state === 'waiting' ? icons.clock : ''}<span></span></p>`,
        stopButton(track),
      ];
    }
    return [
      html`<p class="say ${track.state}">${track.state === 'cancelled' ? icons.close : icons.warn}<span title="${track.note}">${track.note}</span></p>`,
      retryButtons(track),
    ];
  }

  #ready(track) {
    const playing = desk.player.playing && desk.track?.id === track.id;
    const wish = wishLine(track);
    const line = html`<p class="say">${seamLine(track)}</p>`;
    const hear = takeButton('hear', track, playing ? icons.pause : icons.play, track.kind === 'original' ? 'Play' : '', playing ? 'Pause' : 'Play');
    const words = wish ? html`${wishSay(track, wish)}${line}` : html`${line}<p class="say soft">${this.#note(track) || this.#players(track)}</p>`;
    return [words, track.kind === 'take' ? [hear, takeActions(track)] : hear];
  }

  /** What is said under the seam where nothing was wished for. */
  #note(track) {
    if (track.kept) return track.kind === 'take' ? 'Kept, on the timeline' : '';
    const agree = this.takes.agreement(track);
    const [seam] = seamSentences(track.seams);
    return [track.why && seam?.words, agree && `Chords ${percent(agree.share)}`].filter(Boolean).join(', ');
  }

  /** Who plays in the original where it was re-made. */
  #players(track) {
    const { grid, band } = desk.doc;
    return track.kind === 'original' && track.region ? playersIn(band, track.region, grid, desk.shortOf) : '';
  }
}
