import test from 'node:test';
import assert from 'node:assert/strict';

globalThis.ResizeObserver ??= class { observe() {} };
const { dayWords, found, projectWords } = await import('../../assets/page/start/recent.js');
const { arrivalSteps, sizeWords, tooLarge } = await import('../../assets/page/store/arrivals.js');
const { exampleName, exampleWords } = await import('../../assets/page/start/examples.js');

const now = new Date(2026, 10, 21, 9, 30);

test('when a project was saved, in words', () => {
  assert.equal(dayWords('2026-11-21 08:05', now), 'today 08:05');
  assert.equal(dayWords('2026-11-20 23:59', now), 'yesterday');
  assert.equal(dayWords('2026-11-19 08:05', now), '19 Nov');
  assert.equal(dayWords('2025-12-31 08:05', now), '31 Dec 2025');
  assert.equal(projectWords({ seconds: 32, saved: '2026-11-20 10:00' }, now), '0:32, yesterday');
  assert.equal(projectWords({ seconds: 0, saved: '2026-11-20 10:00' }, now), 'no clip yet, yesterday');
});

test('projects are found by name, words, key and tempo, all words of a search at once', () => {
  const projects = [
    { name: 'Rooftop demo', words: 'nylon guitar', key: 'A minor', bpm: 96.4 },
    { name: 'Bossa', words: 'nylon guitar, flute', key: 'C major', bpm: 140 },
  ];
  const names = (words) => found(projects, words).map(({ name }) => name);
  assert.deepEqual(names(''), ['Rooftop demo', 'Bossa']);
  assert.deepEqual(names('NYLON'), ['Rooftop demo', 'Bossa']);
  assert.deepEqual(names('nylon flute'), ['Bossa']);
  assert.deepEqual(names('a minor'), ['Rooftop demo']);
  assert.deepEqual(names('96 bpm'), ['Rooftop demo']);
  assert.deepEqual(names('kazoo'), []);
});

test('a file comes step by step', () => {
  assert.deepEqual(['', 900, 2.4e6, 33.2e6, 2.15e9].map((bytes) => sizeWords(Number(bytes))), ['', '1 kB', '2.4 MB', '33 MB', '2.1 GB']);
  assert.equal(tooLarge({ name: 'a.wav', size: 2e9 }, 2e9) + tooLarge({ name: 'a.wav', size: 2e9 }, undefined), '');
  assert.match(tooLarge({ name: 'a.wav', size: 3e9 }, 2e9), /^a\.wav: 3\.0 GB, and at most 2\.0 GB come at once; cut it/);
  const words = (arriving) => arrivalSteps(arriving).map((step) => `${step.words}:${step.state}${step.more ? ` ${step.more}` : ''}`);
  assert.deepEqual(words({ step: 'uploading', size: 33e6 }), ['Uploading:now', 'Reading:next', 'Listening:next']);
  assert.deepEqual(words({ step: 'reading', size: 33e6, took: 4.2 }), ['Uploaded:done 33 MB in 4 s', 'Reading:now', 'Listening:next']);
});

test('examples say what they are', () => {
  const salsa = { style: 'salsa', kind: 'span', seconds: 7, grid: { bpm: 162 }, key: 'C major', prompt: 'a salsa, loud' };
  assert.equal(exampleName(salsa), 'Salsa, span re-made');
  assert.equal(exampleWords(salsa), '0:07, 162 bpm, C major');
  assert.equal(exampleWords({ ...salsa, grid: null, key: '' }), '0:07, a salsa');
});
