/** A row of Listen as markup: who made the take, what came of the wish, marks over its waveform, seams and actions. */

import { bandByBar } from './take-band.js';
import { starButton, retryButtons, stopButton, takeButton, wishSay } from './take-cards.js';
import { isSmooth, numberOf, percent, seamFigures, takeSpoken } from './take-words.js';
import { wishList } from './wish-words.js';
import { formatShort } from '../music/time.js';
import { icons, tag } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { desk } from '../store/desk.js';
import { engineOf } from '../store/engines.js';

const EXTENDED = { // what is said of the original, and what cannot be compared with it
  continue: 'The clip as it is. Each take holds all of it, sample for sample; what follows is new, so no difference is shown.',
  intro: 'The clip as it is. Each take holds all of it, sample for sample; what comes before 0 is new, so no difference is shown.',
  loop: 'The clip as it is. Takes differ at the join of its end and beginning alone: hear it go round with L. A blind test needs a span.',
};

/** `agreed`: how far the take's chords agree with the lane, null where nobody has listened. */
export function rowMarkup(track, { heard, playing, agreed }) {
  const wishes = track.kind === 'original' ? [] : wishList(track);
  const bars = bandByBar(track, desk.doc.grid, desk);
  const classes = ['row', track.kind, heard && 'heard', wishes.length && 'wished', bars.length && 'barred'].filter(Boolean).join(' ');
  return html`<article class="${classes}" data-take="${track.id}" aria-label="${takeSpoken(track)}">
    <div class="left">${digit(track)}<div>${left(track, wishes, playing, agreed)}</div></div>
    <div class="middle"><canvas data-wave="${track.id}"></canvas>${marks(track)}${chordCells(agreed)}${bars.map(barCell)}</div>
    <div class="right">${right(track, heard)}</div></article>`;
}

const digit = (track) => html`<button class="digit" data-act="select" data-id="${track.id}" aria-pressed="${desk.track?.id === track.id}" aria-label="Hear take ${numberOf(track)}" ${attributes({ disabled: track.state !== 'ready' })}>${numberOf(track)}</button>`;

function left(track, wishes, playing, agreed) {
  const more = track.kind === 'original' || track.state !== 'ready' ? '' : html`<span class="spring"></span>${takeButton('sheet', track, icons.more, '', 'Name, settings and more', { class: 'ic' })}`;
  const agree = agreed ? html`<p class="soft num">Chords agree ${percent(agreed.share)}</p>` : '';
  const lines = wishes.length ? wishes.map((one) => wishSay(track, { ...one, brief: '' })) : html`<p class="soft num">${about(track)}</p>${agree}`;
  return html`<p class="name">${nameOf(track, wishes)}${more}</p>${lines}<p class="now soft">${nowWords(track, playing)}</p>`;
}

function nameOf(track, wishes) {
  if (track.kind === 'original') return html`<b>Original</b>`;
  const engine = engineOf(track.engine).name;
  if (!wishes.length) return html`${tag(track.engine)} <b>${track.name || engine}</b>`;
  const spent = [track.model, `seed ${track.seed}`, track.words].filter(Boolean).join(', ');
  return html`<span title="${engine}">${tag(track.engine)}</span> <span class="soft num" title="${spent}">${track.name || spent}</span>`;
}

function about(track) {
  if (track.kind === 'original') return track.kept ? 'Kept now' : 'Before these takes';
  return [track.model, `seed ${track.seed}`, track.words].filter(Boolean).join(', ');
}

function nowWords(track, playing) {
  if (playing) return html`${icons.sound}<span>Playing${desk.solo ? ' alone' : ''}</span>`;
  return track.kept && track.kind !== 'original' ? html`${icons.check}<span>Kept</span>` : '';
}

const marks = (track) => (track.seams ?? []).map((seam, i) =>
  html`<span class="mark ${isSmooth(seam) ? 'good' : 'bad'}" data-seam="${i}" title="${seam.words} at ${formatShort(seam.time)}">${isSmooth(seam) ? icons.check : icons.warn}</span>`);

const chordCells = (agreed) => (agreed?.cells ?? []).map(({ symbol, share }, i) =>
  html`<span class="agree num ${share < 0.5 ? 'poor' : ''}" data-cell="${i}"><b>${symbol}</b><span>${percent(share)}</span></span>`);

const barCell = ({ players, asked }, i) =>
  html`<span class="who num ${asked ? 'other' : ''}" data-bar="${i}" title="${players + (asked ? `, ${asked}` : '')}"><b>${players}</b>${asked ? html`<span>${asked}</span>` : ''}</span>`;

/** Seams and actions; of the original what makes it comparable. */
function right(track, heard) {
  if (track.kind === 'original') return html`<p class="soft">${originalWords(track)}</p>`;
  if (['failed', 'cancelled', 'interrupted'].includes(track.state)) {
    return html`<p class="say ${track.state}">${icons.warn}<span>${track.note}</span></p><div class="actions">${retryButtons(track)}</div>`;
  }
  if (track.state !== 'ready') {
    return html`<div class="progress" style="--e:var(--${engineOf(track.engine).token})"><i></i></div><p class="say note"><span></span></p><div class="actions">${stopButton(track)}</div>`;
  }
  const seams = track.seams.map((seam) => html`<p class="say" title="${seamFigures(seam)}">${isSmooth(seam) ? icons.check : icons.warn}<span>${seam.words} at ${formatShort(seam.time)}</span></p>`);
  const why = track.why ? html`<p class="say soft" title="${track.why_more}"><span>${track.why}</span></p>` : '';
  const keep = { class: heard && !track.kept ? 'primary' : null, disabled: track.kept };
  return html`${why}${seams.length ? seams : html`<p class="soft">A clip of its own.</p>`}<div class="actions">
    ${takeButton('keep', track, track.kept ? icons.check : '', track.kept ? 'Kept' : 'Keep', 'Put this take on the timeline (K)', keep)}
    ${takeButton('again', track, icons.again, 'Again', 'Again with these settings, and the lanes as they are now (R)', { class: 'words-too' })}
    ${takeButton('seed', track, icons.dice, 'Another seed', 'Run it again with another seed (E)', { class: 'words-too' })}
    <span class="spring"></span>${starButton(track)}</div>`;
}

function originalWords(track) {
  if (track.extends) return EXTENDED[track.extends];
  return `Outside the span${track.spans?.length ? 's' : ''} every take is the original, sample for sample.`;
}
