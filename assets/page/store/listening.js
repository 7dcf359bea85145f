/**
 * How takes are compared: which of them, as loud as each other or not, and in what picture. Times in seconds,
 * loudness in LUFS. Owns what is derived from the sound of the tracks and keeps it until that changes.
 */

import { desk } from './desk.js';
import { integrated, matching, peak } from '../sound/loudness.js';
import { difference, spectrogram } from '../sound/spectrum.js';

export const MOST = 4; // takes side by side

/** Ids of the takes to begin with: the newest of each engine, then others, newest first, what came to nothing last; in the list's order. */
export function offered(tracks) {
  const takes = tracks.filter(({ kind }) => kind === 'take');
  const dead = ({ state }) => (['failed', 'cancelled', 'interrupted'].includes(state) ? 1 : 0);
  const newest = [...takes].reverse().sort((a, b) => dead(a) - dead(b));
  const first = newest.filter((track, i) => newest.findIndex(({ engine }) => engine === track.engine) === i);
  const rest = newest.filter((track) => !first.includes(track));
  const chosen = new Set([...first, ...rest].slice(0, MOST).map(({ id }) => id));
  return takes.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
}

/** The channels of a track's buffer between two times on the clip's clock. */
function stretch(track, from, to) {
  const rate = track.buffer.sampleRate;
  const [a, b] = [from, to].map((time) => Math.max(0, Math.round((time - track.start) * rate)));
  return Array.from({ length: track.buffer.numberOfChannels }, (_, i) => track.buffer.getChannelData(i).subarray(a, b));
}

class Listening {
  matched = false;
  difference = !globalThis.matchMedia?.('(max-height: 860px) and (min-width: 701px)').matches; // the picture of what the heard take changed
  spectra = false; // spectrograms instead of waveforms
  target = null; // LUFS that the takes are brought to, null while they keep their levels
  #picked = new Map(); // group id -> ids of the takes that the user chose
  #levels = new WeakMap(); // buffer -> {key, lufs, peak}
  #pictures = new WeakMap(); // buffer -> {key, spectrogram}

  constructor() {
    desk.addEventListener('change', ({ detail }) => {
      if (['audio', 'takes', 'view', 'player'].includes(detail.what)) this.#trim();
    });
  }

  // ---- which

  /** Ids of the takes side by side. */
  get ids() {
    const { group } = desk;
    if (!group) return [];
    const there = new Set(group.tracks.map(({ id }) => id));
    const picked = this.#picked.get(group.id)?.filter((id) => there.has(id)) ?? [];
    return picked.length >= 2 ? picked : offered(group.tracks);
  }

  /** The original, and the takes side by side. */
  get tracks() {
    const chosen = new Set(this.ids);
    return (desk.group?.tracks ?? []).filter(({ id, kind }) => kind === 'original' || chosen.has(id));
  }

  /** Adds a take to those side by side or takes it away; between 2 and 4 stay. */
  pick(id) {
    const now = this.ids;
    const next = now.includes(id) ? now.filter((other) => other !== id) : [...now.slice(now.length >= MOST ? 1 : 0), id];
    if (next.length < 2) return;
    this.#picked.set(desk.group.id, next);
    this.#trim();
    desk.tell('listening');
  }

  /** The take of a digit among those side by side, if it was not. */
  include(digit) {
    const track = desk.group?.tracks.find((one) => one.digit === digit && one.kind === 'take');
    if (track && !this.ids.includes(track.id)) this.pick(track.id);
  }

  // ---- how loud

  match(on = !this.matched) {
    this.matched = on;
    this.#trim();
    desk.tell('listening');
  }

  /** {lufs, peak} of a track within what Listen loops, null while it loads. */
  level(id) {
    const track = desk.player.tracks.get(id);
    const loop = desk.group?.region ? { start: desk.group.region.start - 2, end: desk.group.region.end + 2 } : null;
    if (!track?.buffer) return null;
    const key = loop ? `${loop.start} ${loop.end}` : 'whole';
    const known = this.#levels.get(track.buffer);
    if (known?.key === key) return known;
    const channels = loop ? stretch(track, loop.start, loop.end) : stretch(track, track.start, track.start + track.seconds);
    const level = { key, lufs: integrated(channels, track.buffer.sampleRate), peak: peak(channels) };
    this.#levels.set(track.buffer, level);
    return level;
  }

  #trim() {
    const on = desk.view === 'blind' || this.matched;
    if (!on) {
      this.target = null;
      desk.player.setTrims(new Map());
      return;
    }
    const levels = (desk.group?.tracks ?? []).map(({ id }) => ({ id, ...this.level(id) })).filter(({ lufs }) => lufs !== undefined);
    const { target, gains } = matching(levels);
    this.target = levels.length ? target : null;
    const original = desk.group?.tracks.find(({ kind }) => kind === 'original');
    if (original && gains.has(original.id)) gains.set('base', gains.get(original.id)); // what lies beyond the takes
    desk.player.setTrims(gains);
  }

  // ---- pictures

  /** The spectrogram of a loaded track over some seconds, null while it loads. */
  spectrogram(id, from, to, columns) {
    const track = desk.player.tracks.get(id);
    if (!track?.buffer) return null;
    const key = `${from} ${to} ${columns}`;
    const known = this.#pictures.get(track.buffer);
    if (known?.key === key) return known.picture;
    const rate = track.buffer.sampleRate;
    const channels = stretch(track, track.start, track.start + track.seconds + 1);
    const picture = spectrogram(channels, rate, (from - track.start) * rate, (to - track.start) * rate, columns);
    this.#pictures.set(track.buffer, { key, picture });
    return picture;
  }

  /** How far a take lies from its original, dB by column and row, null while either loads. */
  change(id, from, to, columns) {
    const original = desk.group?.tracks.find(({ kind }) => kind === 'original');
    const pair = original && [id, original.id].map((one) => this.spectrogram(one, from, to, columns));
    if (!pair || pair.includes(null)) return null;
    return { ...pair[0], values: difference(...pair) };
  }

  show(what) {
    this[what] = !this[what];
    desk.tell('listening');
  }
}

export const listening = new Listening();
