import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Steps } from '../../assets/page/store/steps.js';

test('a step back shows what stood there, one forward what was drawn', () => {
  const steps = new Steps();
  steps.agree(3, 0);
  steps.did('draw_notes', { melody: [] }, { melody: [1] });
  steps.did('draw_notes', { melody: [1] }, { melody: [1, 2] });
  steps.did('set_key', { key: 'C major' }, { key: 'C major' }); // changes nothing: no step
  assert.deepEqual(steps.undo(), { melody: [1] });
  assert.deepEqual(steps.undo(), { melody: [] });
  assert.deepEqual(steps.undo(), {}); // older than the page: the server knows
  assert.deepEqual(steps.redo(), {});
  assert.deepEqual(steps.redo(), { melody: [1] });
});

test('edits that merge are one step, until one was undone', () => {
  const steps = new Steps();
  steps.merging = new Set(['set_grid']);
  assert.equal(steps.canUndo || steps.canRedo, false);
  steps.did('set_grid', { grid: 1 }, { grid: 2 });
  steps.did('set_grid', { grid: 2 }, { grid: 3 });
  assert.deepEqual(steps.undo(), { grid: 1 });
  assert.deepEqual(steps.redo(), { grid: 3 });
  steps.did('set_grid', { grid: 3 }, { grid: 4 });
  assert.deepEqual(steps.undo(), { grid: 3 });
});

test('where another number of steps is there than was expected, nothing is shown ahead', () => {
  const steps = new Steps();
  steps.did('draw_notes', { melody: [] }, { melody: [1] });
  assert.equal(steps.canUndo && !steps.canRedo, true);
  steps.agree(1, 0);
  steps.did('draw_notes', { melody: [1] }, { melody: [1, 2] });
  steps.agree(3, 0); // another tab has drawn, too
  assert.deepEqual(steps.undo(), {});
});
