/**
 * Chord cells and the palette's offer: pure functions. Cells are {id, start, end, symbol}, half-open, in
 * beats, never overlapping, in order. Spelling is the model's ASCII (F#m7b5, Bb/D); the server has the last
 * word on what a typed symbol means. Knows no DOM.
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
  const rank = (other) => {
    const at = QUALITY_ORDER.indexOf(other.quality);
    return (other.bass === null ? 0 : 100) + (at < 0 ? 50 : at);
  };
  return vocabulary
    .map((name) => ({ name, parts: split(name) }))
    .filter(({ name, parts }) => parts && parts.root === chord.root && name !== symbol)
    .sort((a, b) => rank(a.parts) - rank(b.parts))
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

/** Narrow cells drop the quality, then all: what fits in `width` pixels (7 px a character). */
export function fitSymbol(symbol, width) {
  if (symbol.length * 9 <= width) return symbol;
  const short = symbol.match(/^[A-G][#b]?m?/)?.[0] ?? symbol;
  return short.length * 9 <= width ? short : '';
}

/** A new cell cuts what it covers: neighbours are trimmed, covered ones go, a longer one is split. */
export function cover(cells, cell) {
  const out = [];
  for (const other of cells) {
    if (other.id === cell.id) continue;
    if (other.end <= cell.start || other.start >= cell.end) out.push(other);
    else {
      if (other.start < cell.start) out.push({ ...other, end: cell.start });
      if (other.end > cell.end) out.push({ ...other, id: other.start < cell.start ? `${other.id}b` : other.id, start: cell.end });
    }
  }
  return [...out, cell].sort((a, b) => a.start - b.start);
}

/** A cell moved by `beats`, kept inside [0, length]. */
export function moved(cell, beats, length) {
  const span = cell.end - cell.start;
  const start = Math.min(Math.max(0, cell.start + beats), Math.max(0, length - span));
  return { ...cell, start, end: start + span };
}

/** A cell with one edge set, at least `least` beats long. */
export function resized(cell, edge, beats, least, length) {
  if (edge === 'start') return { ...cell, start: Math.max(0, Math.min(beats, cell.end - least)) };
  return { ...cell, end: Math.min(length, Math.max(beats, cell.start + least)) };
}

export const without = (cells, id) => cells.filter((cell) => cell.id !== id);
