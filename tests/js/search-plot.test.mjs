import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fate, points, searchPlot } from '../../assets/page/takes/search-plot.js';

const SEARCH = {
  budget: 50, spent: 28, candidates: [
    { start: 'noise', curve: [[0, 0.8], [0.5, 0.2]], dropped: null, chosen: true },
    { start: 'the music <2 s> earlier', curve: [[0.35, 0.4]], dropped: 0.4, chosen: false },
  ],
};

test('the largest misfit stands at the top, none at the bottom', () => {
  assert.deepEqual(points([[0, 0.8], [1, 0]], 0.8), [[0, 0], [480, 96]]);
  const [[, y]] = points([[0, 0.2]], 0.8);
  assert.equal(y, 48); // a quarter of the misfit is half of the height
});

test('what became of a beginning is said', () => {
  assert.equal(fate(SEARCH.candidates[0]), 'taken');
  assert.equal(fate(SEARCH.candidates[1]), 'given up at 40 %');
  assert.equal(fate({ dropped: null, chosen: false }), 'arrived');
});

test('the plot names its cost and every beginning, the chosen one drawn last', () => {
  const markup = String(searchPlot(SEARCH));
  assert.match(markup, /28 of at most 50 evaluations, 2 beginnings/);
  assert.match(markup, /aria-label="[^"]*noise: taken; the music &lt;2 s&gt; earlier: given up at 40 %/);
  assert.ok(markup.indexOf('class="chosen"') > markup.indexOf('given up at 40 %</title>'));
});
