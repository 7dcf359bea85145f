/**
 * The open band lane as it is drawn: a row for each player; bars outside the span, and inside it what is asked
 * at the left and what the take that is heard has of it at the right.
 */

import { desk } from '../store/desk.js';
import { engineOf } from '../store/engines.js';
import { SAYS, capital, heardIn, heardWords } from '../music/band.js';
import { announceItem } from './lane-grid.js';
import { numberOf } from '../takes/take-words.js';
import { spansOf } from '../takes/track-wave.js';
import { barWords, beatsToSeconds, clamp, ticks } from '../music/time.js';
import { boxOf, prepare } from '../parts/wave.js';

export const ROW = 20; // pixels of a row
export const ADD = 28; // pixels of the place under the rows, beside the button that adds one
const UNSURE = 0.6; // below it a bar is faint
const DOT = 6;

export class BandRows {
  constructor(lane) {
    this.lane = lane;
    this.canvas = lane.host.querySelector('canvas');
  }

  draw(colour) {
    const { lane } = this;
    const { view, duration, region } = lane.timeline;
    const { c, width, height } = prepare(this.canvas, boxOf(this.canvas));
    const end = Math.min(width, (duration - view.start) * view.pps);
    const foot = height - ADD;
    c.fillStyle = colour('lane');
    c.fillRect(0, 0, width, height);
    for (const { time, beat } of ticks(desk.doc.grid, view, width, duration)) {
      if (beat !== 1) continue;
      c.fillStyle = colour('line');
      c.fillRect(Math.round((time - view.start) * view.pps), 0, 1, height);
    }
    if (region) {
      c.fillStyle = colour('span-soft');
      c.fillRect((region.start - view.start) * view.pps, 0, (region.end - region.start) * view.pps, height);
    }
    c.save();
    c.beginPath();
    c.rect(0, 0, width, foot);
    c.clip();
    c.textBaseline = 'middle';
    lane.rows.forEach((name, i) => {
      const y = i * ROW - lane.scroll;
      if (y + ROW < 0 || y > foot) return;
      c.fillStyle = colour('line');
      c.fillRect(0, y + ROW - 1, end, 1);
      for (const piece of lane.items) if (piece.name === name) this.#piece(c, colour, piece, y, width);
    });
    c.restore();
    this.#announce();
  }

  #piece(c, colour, piece, y, width) {
    const [from, to] = [this.lane.x(piece.start) + 1, this.lane.x(piece.end) - 1];
    if (to < 0 || from > width) return;
    const tall = piece.inside ? 15 : 11;
    const top = y + Math.round((ROW - 1 - tall) / 2);
    const filled = piece.state === 'asked' || piece.state === 'given';
    if (filled) this.#bar(c, colour, piece, { from, to, top, tall });
    else if (piece.state === 'none') this.#outline(c, colour(piece.inside ? 'span-edge' : 'band'), { from, to, top, tall });
    if (piece.inside) this.#words(c, colour, piece, { from, to, middle: top + tall / 2 + 0.5, filled, width });
    if (!this.lane.isChosen(piece.id)) return;
    c.strokeStyle = colour('text');
    c.lineWidth = 2;
    c.strokeRect(from, top - 1, Math.max(2, to - from), tall + 2);
    c.lineWidth = 1;
  }

  /** Someone plays; faint where nobody is sure of it. */
  #bar(c, colour, piece, { from, to, top, tall }) {
    const box = new Path2D();
    box.roundRect(from, top, Math.max(2, to - from), tall, 3);
    c.globalAlpha = !piece.inside && piece.cell.sure < UNSURE ? 0.55 : 1;
    c.fillStyle = colour(piece.inside ? 'span-wave' : 'band');
    c.fill(box);
    c.globalAlpha = 1;
  }

  /** Someone is asked to be absent. */
  #outline(c, ink, { from, to, top, tall }) {
    const line = new Path2D();
    line.roundRect(from + 0.5, top + 0.5, Math.max(2, to - from) - 1, tall - 1, 3);
    c.strokeStyle = ink;
    c.lineWidth = 1;
    c.stroke(line);
  }

  /** The wish at the left; at the right, behind a dot of the engine's colour, what the take has. */
  #words(c, colour, piece, { from, to, middle, filled, width }) {
    const [left, right] = [Math.max(from, 0) + 6, Math.min(to, width) - 6];
    c.font = `400 11px ${colour('font')}`;
    const ink = filled ? 'sw-ink' : piece.state === 'open' ? 'muted' : 'text';
    const wish = SAYS[piece.state];
    const has = this.heard(piece);
    const room = right - left;
    let free = room;
    if (has) {
      const words = room > c.measureText(wish).width + c.measureText(has.words).width + DOT + 16 ? has.words : '';
      const wide = words ? c.measureText(words).width + 6 : 0;
      if (room > DOT) {
        c.fillStyle = colour(has.token);
        c.beginPath();
        c.arc(right - wide - DOT / 2, middle, DOT / 2, 0, 7);
        c.fill();
        if (filled) {
          c.strokeStyle = colour('sw-ink');
          c.beginPath();
          c.arc(right - wide - DOT / 2, middle, DOT / 2 + 0.5, 0, 7);
          c.stroke();
        }
      }
      c.fillStyle = colour(ink);
      if (words) c.fillText(words, right - wide + 6, middle);
      free -= wide + DOT + 8;
    }
    c.fillStyle = colour(ink);
    if (free >= c.measureText(wish).width) c.fillText(wish, left, middle);
  }

  /** What the take that is heard has of a piece in the span: {words, token, share, sure, seconds, length}; null where none was listened to. */
  heard(piece) {
    const { track } = desk;
    if (track?.kind !== 'take' || track.state !== 'ready' || !track.band?.length) return null;
    const { grid } = desk.doc;
    const [start, end] = [beatsToSeconds(grid, piece.start), beatsToSeconds(grid, piece.end)];
    const parts = (track.region ? spansOf(track) : [{ start: 0, end: track.seconds }])
      .map((part) => ({ start: Math.max(start, part.start), end: Math.min(end, part.end) })).filter((part) => part.end - part.start > 0.05);
    if (!parts.length) return null;
    const each = parts.map((part) => heardIn(track.band, piece.name, part, desk.familyOf));
    const length = parts.reduce((sum, part) => sum + part.end - part.start, 0);
    const seconds = each.reduce((sum, one) => sum + one.seconds, 0);
    const sure = seconds ? each.reduce((sum, one) => sum + one.sure * one.seconds, 0) / seconds : 1;
    const share = seconds / length;
    return { words: heardWords(piece.state, share), token: engineOf(track.engine).token, share, sure, seconds, length };
  }

  // ---- words

  /** "1.1–4.1" */
  bars({ start, end }) {
    const { grid } = desk.doc;
    return [start, end].map((beats) => barWords(grid, beatsToSeconds(grid, beats))).join('–');
  }

  /** "Flute, asked, bar 4.1 to 5.4, heard in take 1" */
  wordsOf(piece) {
    const { grid } = desk.doc;
    const [from, to] = [piece.start, piece.end].map((beats) => barWords(grid, beatsToSeconds(grid, beats)));
    const has = piece.inside && this.heard(piece);
    const says = piece.inside ? SAYS[piece.state] : piece.state === 'none' ? 'none' : 'plays';
    return `${capital(piece.name)}, ${says}, bar ${from} to ${to}${has ? `, ${has.words} in take ${numberOf(desk.track)}` : ''}`;
  }

  tip(piece, event) {
    const has = piece.inside && this.heard(piece);
    const x = event.clientX - this.lane.host.getBoundingClientRect().left;
    if (has && x > (this.lane.x(piece.start) + this.lane.x(piece.end)) / 2) {
      return `${capital(piece.name)} in take ${numberOf(desk.track)}: ${has.seconds.toFixed(1)} of ${has.length.toFixed(1)} s${has.seconds ? `, ${Math.round(has.sure * 100)} % sure` : ''}`;
    }
    const from = { heard: `heard in the recording, ${Math.round((piece.cell?.sure ?? 1) * 100)} % sure`, midi: 'from the MIDI file', imported: 'from a MIDI file that was opened over the span', words: 'from your words', drawn: 'drawn' }[piece.cell?.by ?? 'words'];
    const says = piece.inside ? `${SAYS[piece.state]}, ` : piece.state === 'none' ? 'none asked, ' : '';
    if (piece.state === 'open') return `${capital(piece.name)}: left open, double-click to ask for it`;
    return `${capital(piece.name)}, bars ${this.bars(piece)}, ${says}${from}`;
  }

  #announce() {
    const { lane } = this;
    const { chosen, rows } = lane;
    const [piece] = chosen;
    const row = piece ? lane.items.filter(({ name }) => name === piece.name) : [];
    announceItem(lane.host, {
      label: 'Band, who plays',
      rows: Math.max(1, rows.length),
      columns: Math.max(1, row.length),
      row: piece ? rows.indexOf(piece.name) + 1 : 0,
      column: piece ? clamp(row.indexOf(piece) + 1, 1, row.length) : 0,
      words: piece ? this.wordsOf(piece) : '',
      chosen: chosen.length,
    });
  }
}
