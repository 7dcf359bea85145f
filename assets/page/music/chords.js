/**
 * Chord symbols, keys and the palette's offer: pure functions. Spelling is the model's ASCII (F#m7b5,
 * Bb/D); the server has the last word on what a typed symbol means. Knows no DOM.
 */

const SHARP = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
const FLAT = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'Gb', 'G', 'Ab', 'A', 'Bb', 'B'];
const CLASS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const FLAT_MAJOR = [5, 10, 3, 8, 1]; // tonics of the major keys written with flats
const NUMERALS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII'];
const MAJOR = { steps: [0, 2, 4, 5, 7, 9, 11], qualities: ['', 'm', 'm', '', '', 'm', 'dim'] };
const MINOR = { steps: [0, 2, 3, 5, 7, 8, 10], qualities: ['m', 'dim', '', 'm', 'm', '', ''] };
const QUALITY_ORDER = ['', 'm', '7', 'maj7', 'm7', '6', 'm6', 'dim', 'dim7', 'm7b5', 'aug', 'sus4'];

/** Every key of the key menu, majors first. */
export const KEYS = [
  ...['C', 'Db', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'].map((tonic) => `${tonic} major`),
  ...['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'G#', 'A', 'Bb', 'B'].map((tonic) => `${tonic} minor`),
];

/** "F#m7b5/A" -> {root: 6, quality: "m7b5", bass: 9 | null}; null when it does not begin with a note. */
export function split(symbol) {
  const match = /^([A-G])([#b]?)([^/]*)(?:\/([A-G])([#b]?))?$/.exec(symbol.trim());
  if (!match) return null;
  const pitch = (letter, sign) => (CLASS[letter] + (sign === '#' ? 1 : sign === 'b' ? 11 : 0)) % 12;
  return { root: pitch(match[1], match[2]), quality: match[3], bass: match[4] ? pitch(match[4], match[5]) : null };
}

function keyOf(name) {
  const [tonic, mode] = name.split(' ');
  const root = split(tonic).root;
  const scale = mode === 'minor' ? MINOR : MAJOR;
  const relative = mode === 'minor' ? (root + 3) % 12 : root;
  return { root, scale, names: FLAT_MAJOR.includes(relative) ? FLAT : SHARP };
}

/** Pitch classes of a key's scale. */
export function scaleOf(key) {
  const { root, scale } = keyOf(key);
  return new Set(scale.steps.map((step) => (root + step) % 12));
}

/** Degree of a key -> symbol: "V7" in C major -> "G7"; capitals are major, small letters minor. */
export function fromRoman(degree, key) {
  const [, sign, numeral, tail] = /^([b#]?)(VII|VI|IV|V|III|II|I)(.*)$/i.exec(degree);
  const { root, scale, names } = keyOf(key);
  const bend = { b: -1, '#': 1 }[sign] ?? 0;
  const pitch = (root + scale.steps[NUMERALS.indexOf(numeral.toUpperCase())] + bend + 12) % 12;
  const small = numeral === numeral.toLowerCase();
  return names[pitch] + (small && !tail.startsWith('m') ? 'm' : '') + tail;
}

/** Share of [from, to) in which what was heard ({start, end, symbol}) has the root and the third of `symbol`. */
export function chordAgreement(symbol, from, to, heard) {
  const asked = split(symbol);
  const alike = (other) => asked && other && other.root === asked.root && isSmall(other.quality) === isSmall(asked.quality);
  const shared = heard.filter((chord) => alike(split(chord.symbol)))
    .reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0);
  return to > from ? shared / (to - from) : 0;
}

/** A symbol moved by semitones, spelt as in the key. */
export function transposedSymbol(symbol, semitones, key) {
  const chord = split(symbol);
  if (!chord) return symbol;
  const { names } = keyOf(key);
  const name = (pitch) => names[(pitch + semitones + 120) % 12];
  return name(chord.root) + chord.quality + (chord.bass === null ? '' : `/${name(chord.bass)}`);
}

/** The vocabulary's chords that a typed beginning may mean, at most `most`: plain ones before inversions. */
export function complete(typed, vocabulary, most = 6) {
  const head = /^([A-Ga-g])([#b♯♭]?)(.*)$/.exec(typed.trim());
  if (!head) return [];
  const root = split(head[1].toUpperCase() + head[2].replace('♯', '#').replace('♭', 'b')).root;
  const rest = head[3].replace(/^(min|-)/, 'm').replace(/^M(?=7|$)/, 'maj').replaceAll('♭', 'b').replaceAll('♯', '#');
  return vocabulary
    .map((name) => ({ name, parts: split(name) }))
    .filter(({ name, parts }) => parts?.root === root && name.replace(/^[A-G][#b]?/, '').startsWith(rest))
    .sort((a, b) => meantBy(a.parts, rest) - meantBy(b.parts, rest))
    .slice(0, most)
    .map(({ name }) => name);
}

/** An "m" begins a minor chord before it begins a maj7. */
const meantBy = (parts, rest) => rankOf(parts) + (rest === 'm' && parts.quality.startsWith('maj') ? 40 : 0);

/** Plain qualities in their usual order, inversions after all of them. */
function rankOf({ quality, bass }) {
  const at = QUALITY_ORDER.indexOf(quality);
  return (bass === null ? 0 : 100) + (at < 0 ? 50 : at);
}

const isSmall = (quality) => /^(m(?!aj)|dim)/.test(quality);

/** Roman numeral of a chord in a key ("V7", "bVI"), "" for anything it cannot read. */
export function roman(symbol, key) {
  const chord = split(symbol);
  if (!chord) return '';
  const { root, scale } = keyOf(key);
  const step = (chord.root - root + 12) % 12;
  let degree = scale.steps.indexOf(step);
  let sign = '';
  if (degree < 0) {
    degree = scale.steps.indexOf((step + 1) % 12);
    sign = '♭';
    if (degree < 0) [degree, sign] = [scale.steps.indexOf((step + 11) % 12), '♯'];
  }
  if (degree < 0) return '';
  const numeral = isSmall(chord.quality) ? NUMERALS[degree].toLowerCase() : NUMERALS[degree];
  const tail = chord.quality.replace(/^m(?!aj)/, '').replace(/^dim7?/, '°').replace('aug', '+')
    .replace('maj7', 'Δ').replace('7b5', 'ø').replace('7', '⁷').replace('6', '⁶');
  const third = isSmall(chord.quality) ? 3 : 4;
  const above = chord.bass === null ? 0 : (chord.bass - chord.root + 12) % 12;
  const inversion = !tail && above === third ? '⁶' : above === 7 ? '⁶₄' : '';
  return sign + numeral + tail + inversion;
}

/** The seven triads of a key: [{symbol, roman}]. */
export function inKey(key) {
  const { root, scale, names } = keyOf(key);
  return scale.steps.map((step, degree) => {
    const symbol = names[(root + step) % 12] + scale.qualities[degree];
    return { symbol, roman: roman(symbol, key) };
  });
}

/** The vocabulary's other chords on the root of `symbol`, plain qualities before inversions. */
export function moreOn(symbol, vocabulary) {
  const chord = split(symbol);
  if (!chord) return [];
  return vocabulary
    .map((name) => ({ name, parts: split(name) }))
    .filter(({ name, parts }) => parts && parts.root === chord.root && name !== symbol)
    .sort((a, b) => rankOf(a.parts) - rankOf(b.parts))
    .map(({ name }) => name);
}

/** The vocabulary by root, for the whole list: [{root: "C", symbols: [...]}], and N under "No chord". */
export function byRoot(vocabulary) {
  const groups = SHARP.map((root, index) => ({
    root,
    symbols: vocabulary.filter((name) => split(name)?.root === index),
  }));
  const rest = vocabulary.filter((name) => !split(name) && name !== 'UNK');
  return rest.length ? [...groups, { root: 'None', symbols: rest }] : groups;
}

/** About how many pixels a symbol takes in a cell. */
const wide = (symbol) => 8.5 * symbol.length + 4.5 * (symbol.match(/m/g)?.length ?? 0);

/** Narrow cells drop the quality, then all: what fits in `width` pixels. */
export function fitSymbol(symbol, width) {
  if (wide(symbol) <= width) return symbol;
  const short = symbol.match(/^[A-G][#b]?m?/)?.[0] ?? symbol;
  return wide(short) <= width ? short : '';
}

const TONES = {
  '': [0, 4, 7], m: [0, 3, 7], 7: [0, 4, 7, 10], m7: [0, 3, 7, 10], maj7: [0, 4, 7, 11], 6: [0, 4, 7, 9], m6: [0, 3, 7, 9],
  m7b5: [0, 3, 6, 10], dim: [0, 3, 6], aug: [0, 4, 8],
};

/** MIDI pitches to hear a symbol by: the bass in the octave below middle C, the chord above it; [] for N. */
export function pitchesOf(symbol) {
  const chord = split(symbol);
  if (!chord) return [];
  const bass = chord.bass ?? chord.root;
  const tones = (TONES[chord.quality] ?? TONES['']).map((step) => (chord.root + step) % 12);
  return [48 - 12 + bass + (bass < 4 ? 12 : 0), ...tones.map((tone) => 60 + ((tone + 5) % 12) - 5).sort((a, b) => a - b)];
}
