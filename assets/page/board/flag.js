/** What stands on a span's flag. Pure functions. */

import { formatSpan } from '../music/time.js';

const BESIDE = 40; // pixels of a flag that its number and edges take
const LETTER = 7; // pixels of a figure of its times
const MANY = 16; // letters of words that say enough beside times
const LEAST = 48; // pixels below which words say nothing

/** A span's times, which only give way to words that need their room; the active one keeps them. */
export function flagTimes(span, width, active, words) {
  const times = formatSpan(span);
  return !words || active || width - BESIDE - LETTER * times.length >= LETTER * Math.min(words.length, MANY) ? times : '';
}

/** A span's own words, where its flag has room for them: the active one has its times beside them. Never on a phone. */
export function flagWords(span, width, active, phone = false) {
  const { prompt } = span;
  const room = width - BESIDE - (active ? LETTER * formatSpan(span).length : 0);
  return prompt && !phone && room >= LEAST ? prompt : '';
}
