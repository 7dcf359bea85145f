/** What is said about takes: seams in sentences and figures, names, counts. Pure functions. */

import { engineOf } from '../store/engines.js';
import { beatsToSeconds, formatShort } from '../music/time.js';
import { wishSpoken } from './wish-words.js';

export const isSmooth = (seam) => /^smooth/i.test(seam.words);

/** The figures of a seam, for its tooltip. */
export const seamFigures = (seam) =>
  `jump ${seam.jump.toFixed(1)} dB, level ${seam.level.toFixed(1)} dB, brightness ${seam.brightness.toFixed(1)} dB, ` +
  `worse than ${Math.round(seam.score * 100)} % of this recording's own moments`;

/** At most two sentences, worst first: [{words, rough, title}]. */
export function seamSentences(seams) {
  if (!seams.length) return [];
  const rough = seams.filter((seam) => !isSmooth(seam)).sort((a, b) => b.score - a.score);
  if (rough.length) return rough.map((seam) => ({ words: `${seam.words} at ${formatShort(seam.time)}`, rough: true, title: seamFigures(seam) }));
  const words = seams.length > 2 ? `Smooth at all ${seams.length} ends` : seams.length > 1 ? 'Smooth at both ends' : `Smooth at ${formatShort(seams[0].time)}`;
  return [{ words, rough: false, title: seams.map(seamFigures).join('\n') }];
}

/** "Take 3, AR, running": what a screen reader calls a take. */
export function takeLabel(track) {
  const name = track.kind === 'original' ? 'Original' : engineOf(track.engine).tag;
  const own = track.name || track.part ? `, ${track.name || track.part}` : '';
  return `Take ${numberOf(track)}, ${name}${own}, ${track.kept ? 'kept' : track.state}${track.starred ? ', starred' : ''}`;
}

/** The same with what came of the wish, and the worst of its seams: "Take 3, AR, ready: flute faint; click at 6 seconds". */
export function takeSpoken(track) {
  const wish = track.kind === 'take' && track.state === 'ready' ? wishSpoken(track) : '';
  const [seam] = wish ? seamSentences(track.seams) : [];
  return [takeLabel(track), wish && `: ${wish}`, seam && `; ${seam.words.replace(/^./, (letter) => letter.toLowerCase()).replace(/ s$/, ' seconds')}`].filter(Boolean).join('');
}

/** "2 ready, 1 running". */
export function countWords(tracks) {
  const count = (state) => tracks.filter((track) => track.kind === 'take' && track.state === state).length;
  return ['ready', 'running', 'waiting', 'failed', 'cancelled', 'interrupted']
    .map((state) => [count(state), state]).filter(([n]) => n).map(([n, word]) => `${n} ${word}`).join(', ');
}

/**
 * How far the chords heard in a take agree with those asked for: {share: of the time, cells: [{symbol, from, to,
 * share}] in seconds}, null where none was asked for or the take was not listened to. `heard` gives a cell's share.
 */
export function chordsAgree(track, chords, grid, heard) {
  const cells = chords.map((cell) => {
    const from = Math.max(beatsToSeconds(grid, cell.start), track.region?.start ?? 0);
    const to = Math.min(beatsToSeconds(grid, cell.end), track.region?.end ?? track.seconds);
    return { symbol: cell.symbol, from, to, share: to > from ? heard(cell) : null };
  }).filter(({ share, from, to }) => share !== null && (!track.spans?.length || track.spans.some((span) => span.start < to && span.end > from)));
  const time = cells.reduce((sum, { from, to }) => sum + to - from, 0);
  if (!time) return null;
  return { share: cells.reduce((sum, { from, to, share }) => sum + (to - from) * share, 0) / time, cells };
}

/** "96 %" */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** What a take is called by: its key, and from 10 on, where keys end, its number. */
export const numberOf = (track) => track.digit ?? track.number ?? '';

/** The seed, or the musician's own name for a take, or what became of one part of the music in it. */
export const takeName = (track) => track.name || track.part || track.model || `seed ${track.seed}`;
