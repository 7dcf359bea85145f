/** The strip of take cards under the timeline. */

import { desk } from './desk.js';
import { ENGINES, icons, tag, text } from './icons.js';
import { listening } from './listening.js';
import { countWords, numberOf, percent, seamSentences, takeLabel, takeName } from './take-words.js';
import { STORY, drawStory } from './story.js';
import { drawTrack } from './track-wave.js';

const AROUND = 1; // seconds beside the span on a card

export const CARDS = `
<section class="strip" aria-label="Takes">
  <header><h2></h2><span class="count soft"></span><span class="spring"></span>
    <span class="pager"></span>
    <button class="match" data-act="match" role="switch" title="Bring all takes to the same loudness (M)"><span>Level match</span><i class="knob"></i></button>
    <button class="tree" data-act="tree" title="What was on the timeline, and deleted takes">Version tree</button>
    <button class="compare" title="Listen to the takes side by side (C)">Compare <kbd>C</kbd></button></header>
  <div class="cards"></div>
  <div class="story">${STORY}</div>
</section>`;

/** Actions that every take offers, on cards and in rows. */
export function takeButton(act, track, icon, label, title, extra = '') {
  return `<button data-act="${act}" data-id="${track.id}" title="${title}" ${label ? '' : `aria-label="${title}"`} ${extra}>${icon}${label ? `<span>${label}</span>` : ''}</button>`;
}

/** What stops one run, and what that is called: those that wait are skipped. */
export const stopWords = (track) => (track.state === 'waiting' ? ['Skip', 'Leave this one out; the others go on'] : ['Cancel', 'Stop this one; the others go on']);

export const starButton = (track) =>
  takeButton('star', track, track.starred ? icons.starred : icons.star, '', track.starred ? 'Take the star away (*)' : 'Star (*)', `class="ic star" aria-pressed="${track.starred}"`);

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
    find('.compare').disabled = !tracks.some((track) => track.kind === 'take' && track.state === 'ready');
    if (!group) {
      drawStory(this.takes.shadowRoot.querySelectorAll('.story canvas'), colour);
      return;
    }
    const sign = this.takes.sign(tracks);
    if (sign !== this.#signature) {
      this.#signature = sign;
      this.takes.replace('.cards', tracks.map((track) => this.#card(track)).join(''));
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
    const name = track.kind === 'original' ? '<b>Original</b>' : `${tag(track.engine)}<span class="num name" title="${text(takeName(track))}">${text(takeName(track))}</span>`;
    const digit = track.digit === null ? `<span class="soft num">${numberOf(track)}</span>` : `<kbd class="digit">${track.digit}</kbd>`;
    const star = track.kind === 'take' && track.state === 'ready' ? starButton(track) : '';
    const [words, actions] = this.#about(track);
    return `<article class="card ${track.state} ${this.takes.isHeard(track) ? 'heard' : ''}" aria-label="${text(takeLabel(track))}">
      <header>${digit}${name}${star}</header><canvas data-wave="${track.id}"></canvas>
      <div class="words">${words}</div><div class="actions">${actions}</div></article>`;
  }

  #about(track) {
    if (track.state === 'ready') return this.#ready(track);
    if (track.state === 'running' || track.state === 'waiting') {
      return [
        `<div class="progress" style="--e:var(--${ENGINES[track.engine].token})"><i></i></div><p class="say note">${track.state === 'waiting' ? icons.clock : ''}<span></span></p>`,
        takeButton('stop', track, icons.close, ...stopWords(track)),
      ];
    }
    return [
      `<p class="say ${track.state}">${track.state === 'failed' ? icons.warn : icons.close}<span title="${text(track.note)}">${text(track.note)}</span></p>`,
      takeButton('retry', track, '', 'Try again', 'Run it again'),
    ];
  }

  #ready(track) {
    const playing = desk.player.playing && desk.track?.id === track.id;
    const agree = this.takes.agreement(track);
    const [seam] = seamSentences(track.seams);
    const line = track.kind === 'original' ? `${track.kept ? icons.check : icons.wave}<span>${track.kept ? 'Kept now' : 'Before these takes'}</span>`
      : track.why ? `${seam?.rough ? icons.warn : icons.check}<span title="${text(track.why_more)}">${text(track.why)}</span>`
      : seam ? `${seam.rough ? icons.warn : icons.check}<span title="${text(seam.title)}">${text(seam.words)}</span>`
        : `${icons.wave}<span>A new clip</span>`;
    const note = [track.kept && track.kind === 'take' ? 'Kept, on the timeline' : '', track.why && !track.kept ? seam?.words : '', track.kept ? '' : agree ? `Chords ${percent(agree.share)}` : '', track.kept ? '' : track.words].filter(Boolean).join(', ');
    let actions = takeButton('hear', track, playing ? icons.pause : icons.play, track.kind === 'original' ? 'Play' : '', playing ? 'Pause' : 'Play');
    if (track.kind === 'take') {
      actions += takeButton('keep', track, track.kept ? icons.check : '', track.kept ? 'Kept' : 'Keep', 'Put this take on the timeline (K)', track.kept ? 'disabled class="wide"' : 'class="wide"')
        + takeButton('again', track, icons.again, '', 'Again with these settings (R)')
        + takeButton('seed', track, icons.dice, '', 'Another seed (E)', 'class="second"')
        + takeButton('sheet', track, icons.more, '', 'Name, settings and more');
    }
    return [`<p class="say">${line}</p><p class="say soft">${text(note)}</p>`, actions];
  }
}
