/**
 * The projects of the home in a list: how each is told, found and drawn. `ask` fetches a picture {peaks, span} by the
 * name of a folder; nothing else here knows a server.
 */

import { icons } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { formatLength } from '../music/time.js';
import { prepare, tokens } from '../parts/wave.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "2026-11-21 17:42" -> "today 17:42", "yesterday", "21 Nov", and with the year where it is another one. */
export function dayWords(saved, now = new Date()) {
  const [day, time] = saved.split(' ');
  const [year, month, date] = day.split('-').map(Number);
  const days = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime() - new Date(year, month - 1, date).getTime()) / 86_400_000);
  if (days === 0) return `today ${time}`;
  if (days === 1) return 'yesterday';
  return `${date} ${MONTHS[month - 1]}${year === now.getFullYear() ? '' : ` ${year}`}`;
}

/** "0:32, today 17:42" */
export const projectWords = ({ seconds, saved }, now) => `${seconds ? formatLength(seconds) : 'no clip yet'}, ${dayWords(saved, now)}`;

/** The projects in which every one of some words occurs: in the name, its words, its key or tempo. */
export function found(entries, sought) {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const told = ({ name, words: own = '', key = '', bpm = 0 }) => `${name} ${own} ${key} ${Math.round(bpm)} bpm`.toLowerCase();
  return entries.filter((entry) => words.every((word) => told(entry).includes(word)));
}

const takeWords = (count) => (count ? `, ${count} take${count === 1 ? '' : 's'}` : '');

/** One project as a button, `data-folder` names it; `takes`: with how many takes it has. */
export const projectRow = (entry, { current = false, takes = false } = {}) => html`<button class="project" data-act="open" data-folder="${entry.folder}" ${attributes({ 'aria-current': current ? 'true' : null })} title="${[entry.words, entry.key, entry.bpm ? `${Math.round(entry.bpm)} bpm` : ''].filter(Boolean).join(', ')}">
  <canvas aria-hidden="true"></canvas><span class="told"><b>${entry.name}</b><span class="soft num">${projectWords(entry) + (takes ? takeWords(entry.takes) : '')}</span></span>${icons.right}</button>`;

/** The clip's shape, its last span in yellow. */
export function drawPicture(canvas, { peaks, span }) {
  const { c, width, height } = prepare(canvas);
  const colour = tokens(canvas);
  const share = (part) => Math.round(part * width);
  if (span) {
    c.fillStyle = colour('span-tint');
    c.fillRect(share(span[0]), 0, Math.max(2, share(span[1]) - share(span[0])), height);
  }
  peaks.forEach((peak, i) => {
    const inside = span && i / peaks.length >= span[0] && i / peaks.length < span[1];
    c.fillStyle = colour(inside ? 'span-wave' : 'wave');
    const high = Math.max(1, (peak / 100) * (height - 6));
    c.fillRect((i * width) / peaks.length, (height - high) / 2, Math.max(1, width / peaks.length - 0.25), high);
  });
}

const known = new Map(); // folder and time of saving -> its picture

/** Fetches and draws the pictures of the rows in `root`, one after the other, for as long as they are on the page. */
export async function drawPictures(root, entries, ask) {
  for (const button of root.querySelectorAll('[data-folder]')) {
    const entry = entries.find(({ folder }) => folder === button.dataset.folder);
    const key = `${entry?.folder} ${entry?.saved}`;
    if (!known.has(key)) known.set(key, await ask(button.dataset.folder));
    if (!root.isConnected) return;
    if (button.isConnected) drawPicture(button.querySelector('canvas'), known.get(key));
  }
}
