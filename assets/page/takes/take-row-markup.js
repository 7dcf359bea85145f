/** A row of Listen as markup: who made the take, what came of the wish, marks over its waveform, seams and actions. */

import { bandByBar } from './take-band.js';
import { starButton, retryButtons, stopButton, takeButton, wishSay } from './take-cards.js';
import { isSmooth, numberOf, percent, seamFigures, takeSpoken } from './take-words.js';
import { wishList } from './wish-words.js';
import { formatShort } from '../music/time.js';
import { icons, tag, text } from '../parts/icons.js';
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
  return `<article class="${classes}" data-take="${track.id}" aria-label="${text(takeSpoken(track))}">
    <div class="left">${digit(track)}<div>${left(track, wishes, playing, agreed)}</div></div>
    <div class="middle"><canvas data-wave="${track.id}"></canvas>${marks(track)}${chordCells(agreed)}${bars.map(barCell).join('')}</div>
    <div class="right">${right(track, heard)}</div></article>`;
}

const digit = (track) => `<button class="digit" data-act="select" data-id="${track.id}" aria-pressed="${desk.track?.id === track.id}" aria-label="Hear take ${numberOf(track)}" ${track.state === 'ready' ? '' : 'disabled'}>${numberOf(track)}</button>`;

function left(track, wishes, playing, agreed) {
  const more = track.kind === 'original' || track.state !== 'ready' ? '' : `<span class="spring"></span>${takeButton('sheet', track, icons.more, '', 'Name, settings and more', 'class="ic"')}`;
  const agree = agreed ? `<p class="soft num">Chords agree ${percent(agreed.share)}</p>` : '';
  const lines = wishes.length ? wishes.map((one) => wishSay(track, { ...one, brief: '' })).join('') : `<p class="soft num">${about(track)}</p>${agree}`;
  return `<p class="name">${nameOf(track, wishes)}${more}</p>${lines}<p class="now soft">${nowWords(track, playing)}</p>`;
}

function nameOf(track, wishes) {
  if (track.kind === 'original') return '<b>Original</b>';
  const engine = engineOf(track.engine).name;
  if (!wishes.length) return `${tag(track.engine)} <b>${text(track.name || engine)}</b>`;
  const spent = [`seed ${track.seed}`, track.words].filter(Boolean).join(', ');
  return `<span title="${text(engine)}">${tag(track.engine)}</span> <span class="soft num" title="${text(spent)}">${text(track.name || spent)}</span>`;
}

function about(track) {
  if (track.kind === 'original') return track.kept ? 'Kept now' : 'Before these takes';
  return `seed ${track.seed}${track.words ? `, ${text(track.words)}` : ''}`;
}

function nowWords(track, playing) {
  if (playing) return `${icons.sound}<span>Playing${desk.solo ? ' alone' : ''}</span>`;
  return track.kept && track.kind !== 'original' ? `${icons.check}<span>Kept</span>` : '';
}

const marks = (track) => (track.seams ?? []).map((seam, i) =>
  `<span class="mark ${isSmooth(seam) ? 'good' : 'bad'}" data-seam="${i}" title="${text(`${seam.words} at ${formatShort(seam.time)}`)}">${isSmooth(seam) ? icons.check : icons.warn}</span>`).join('');

const chordCells = (agreed) => (agreed?.cells ?? []).map(({ symbol, share }, i) =>
  `<span class="agree num ${share < 0.5 ? 'poor' : ''}" data-cell="${i}"><b>${text(symbol)}</b><span>${percent(share)}</span></span>`).join('');

const barCell = ({ players, asked }, i) =>
  `<span class="who num ${asked ? 'other' : ''}" data-bar="${i}" title="${text(players + (asked ? `, ${asked}` : ''))}"><b>${text(players)}</b>${asked ? `<span>${text(asked)}</span>` : ''}</span>`;

/** Seams and actions; of the original what makes it comparable. */
function right(track, heard) {
  if (track.kind === 'original') return `<p class="soft">${originalWords(track)}</p>`;
  if (['failed', 'cancelled', 'interrupted'].includes(track.state)) {
    return `<p class="say ${track.state}">${icons.warn}<span>${text(track.note)}</span></p><div class="actions">${retryButtons(track)}</div>`;
  }
  if (track.state !== 'ready') {
    return `<div class="progress" style="--e:var(--${engineOf(track.engine).token})"><i></i></div><p class="say note"><span></span></p><div class="actions">${stopButton(track)}</div>`;
  }
  const seams = track.seams.map((seam) => `<p class="say" title="${text(seamFigures(seam))}">${isSmooth(seam) ? icons.check : icons.warn}<span>${text(seam.words)} at ${formatShort(seam.time)}</span></p>`).join('');
  const why = track.why ? `<p class="say soft" title="${text(track.why_more)}"><span>${text(track.why)}</span></p>` : '';
  const keep = `class="${heard && !track.kept ? 'primary' : ''}" ${track.kept ? 'disabled' : ''}`;
  return `${why}${seams || '<p class="soft">A clip of its own.</p>'}<div class="actions">
    ${takeButton('keep', track, track.kept ? icons.check : '', track.kept ? 'Kept' : 'Keep', 'Put this take on the timeline (K)', keep)}
    ${takeButton('again', track, icons.again, 'Again', 'Again with these settings, and the lanes as they are now (R)', 'class="words-too"')}
    ${takeButton('seed', track, icons.dice, 'Another seed', 'Run it again with another seed (E)', 'class="words-too"')}
    <span class="spring"></span>${starButton(track)}</div>`;
}

function originalWords(track) {
  if (track.extends) return EXTENDED[track.extends];
  return `Outside the span${track.spans?.length ? 's' : ''} every take is the original, sample for sample.`;
}
