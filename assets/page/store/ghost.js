/**
 * What was heard again in the take that plays: its chords and melody in beats, and how far they agree with
 * what the lanes ask for. The server hears a take once; until it has, there is no ghost.
 */

import { chordAgreement } from '../music/chords.js';
import { agreement } from '../music/notes.js';
import { beatsToSeconds, secondsToBeats } from '../music/time.js';

export class Ghost {
  #known = new Map(); // take id -> {chords, melody} in seconds, null while it is being heard

  /** Whether a take is there that was not asked for yet. */
  lacks(track) {
    return track?.kind === 'take' && track.state === 'ready' && !this.#known.has(track.id);
  }

  /** Asks for a take's ghost once; `tell` is called when it is there. Whether there was an answer. */
  async want(track, ask, tell) {
    if (!this.lacks(track)) return true;
    const known = this.#known; // an answer on the old clock has no place among those on the new one
    known.set(track.id, null);
    try {
      const heard = await ask(track.id);
      if (!heard) throw new Error('nobody answers yet');
      if (heard.chords) known.set(track.id, heard);
    } catch {
      known.delete(track.id); // asked again when it is chosen again
      return false;
    }
    tell();
    return true;
  }

  /** After the clip's clock has moved: what is known was heard on the old one. */
  forget() {
    this.#known = new Map();
  }

  of(track) {
    return (track && this.#known.get(track.id)) ?? null;
  }

  /** The melody that was heard, in beats of the grid: [{start, end, pitch}]. */
  melody(track, grid) {
    const beats = (seconds) => secondsToBeats(grid, seconds);
    return (this.of(track)?.melody ?? []).map(({ start, end, pitch }) => ({ start: beats(start), end: beats(end), pitch }));
  }

  /** Share of a chord cell's time inside the take in which its chord was heard; null where it does not reach. */
  chord(track, cell, grid) {
    const heard = this.of(track);
    if (!heard || !track.asked?.includes('chords')) return null; // of what it was not told it says nothing
    const { region } = track;
    const from = Math.max(beatsToSeconds(grid, cell.start), region?.start ?? 0);
    const to = Math.min(beatsToSeconds(grid, cell.end), region?.end ?? track.seconds);
    return to - from > 0.05 ? chordAgreement(cell.symbol, from, to, heard.chords) : null;
  }

  /** Agreement of the drawn melody, bar by bar: Map(bar -> share), only bars that the take reaches. */
  bars(track, notes, grid) {
    if (!this.of(track) || !track.asked?.includes('melody')) return new Map();
    const from = secondsToBeats(grid, track.region?.start ?? 0);
    const to = secondsToBeats(grid, track.region?.end ?? track.seconds);
    const inside = notes.filter(({ start, end }) => end > from && start < to)
      .map((note) => ({ ...note, start: Math.max(note.start, from), end: Math.min(note.end, to) }));
    return agreement(inside, this.melody(track, grid), grid.beats_per_bar);
  }
}
