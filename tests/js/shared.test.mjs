/** What Python and the page both know: drums, melody range, chord vocabulary, instruments and engines are the same. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { complete, pitchesOf, split } from '../../assets/page/music/chords.js';
import { kindOf, searched } from '../../assets/page/music/band.js';
import { DRUMS, PATTERNS } from '../../assets/page/music/drums.js';
import { HIGH, LOW, fittingKey } from '../../assets/page/music/notes.js';
import { copied, moved } from '../../assets/page/sections/bars.js';
import { tag } from '../../assets/page/parts/icons.js';
import { engineOf } from '../../assets/page/store/engines.js';
import { shared, withEngines } from './shared.mjs';

test('the drums stand in the order of the models\' rows', () => {
  assert.deepEqual(DRUMS, shared('drums'));
  const known = new Set(['name', ...DRUMS]);
  for (const pattern of PATTERNS) assert.deepEqual(Object.keys(pattern).filter((row) => !known.has(row)), [], pattern.name);
});

test('a key that fits better is the one that the server finds', () => {
  for (const { key, notes, fits } of shared('keys')) {
    let start = 0;
    assert.equal(fittingKey(notes.map(([pitch, length]) => ({ pitch, start, end: (start += length) })).map((note, i) => ({ ...note, start: note.end - notes[i][1] })), key), fits, key);
  }
});

test('sections that are moved or copied stand where the server puts them', () => {
  for (const { sections, act, at, gives } of shared('arrangements')) {
    const known = sections.map(([name, start, end]) => ({ id: name, name, start, end }));
    const own = known.find(({ id }) => id === 'a');
    const made = act === 'move' ? moved(known, own, at) : copied(known, own, at, 'new');
    assert.deepEqual(made.map(({ name, start, end }) => [name, start, end]), gives, `${act} to ${at}`);
    assert.equal(new Set(made.map(({ id }) => id)).size, made.length);
    if (act === 'copy') assert.deepEqual(made.filter(({ id }) => id === 'new').map(({ start }) => start), [at]);
  }
});

test('the melody lane ends where the models do', () => {
  assert.deepEqual({ low: LOW, high: HIGH }, shared('melody'));
});

test('every chord of the vocabulary is read, sounds as Python has it, and can be typed', () => {
  const { vocabulary, roots, qualities } = shared('chords');
  for (const symbol of vocabulary.filter((one) => split(one) && !one.includes('/'))) {
    const { root, quality } = split(symbol);
    const steps = qualities[quality];
    assert.ok(steps, `${symbol}: no such quality`);
    const sounds = new Set(pitchesOf(symbol).map((pitch) => pitch % 12));
    assert.deepEqual([...sounds].sort((a, b) => a - b), [...new Set(steps.map((step) => (root + step) % 12))].sort((a, b) => a - b), symbol);
    assert.equal(complete(symbol, vocabulary)[0], symbol);
  }
  assert.deepEqual(roots.map((root) => split(root).root), roots.map((_, i) => i));
});

test('every instrument is found by its name and by each other spelling', () => {
  const rows = shared('instruments');
  for (const { name, also } of rows) {
    assert.equal(searched(name, rows).found[0].name, name);
    for (const other of also) assert.ok(searched(other, rows).found.some((row) => row.name === name), `${other}: ${name}`);
  }
  assert.match(kindOf(rows.find(({ name }) => name === 'guitars'), rows), /^any of \d/);
});

test('engines have the tags, words and colours that the server names', () => {
  assert.equal(engineOf('fm').tag, 'fm'); // before the server has answered
  withEngines();
  for (const { name, tag: letters, words, colour } of shared('engines')) {
    assert.deepEqual(engineOf(name), { tag: letters, token: colour, name: words });
    assert.ok(String(tag(name)).includes(`var(--${colour})`) && String(tag(name)).includes(letters));
  }
  assert.equal(String(tag('<b>')), '<span class="tag" style="--e:var(--text)">&lt;b&gt;</span>');
});
