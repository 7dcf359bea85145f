/** A file on its way: how long it will take, as far as earlier ones tell. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { arrivalProgress, learned, leftWords } from '../../assets/page/store/arrivals.js';

test('what is left is told by how long earlier files took, for both steps', () => {
  const paces = learned(learned({}, 'uploading', 10e6, 2), 'reading', 10e6, 8);
  const at = (step, since, size = 20e6) => {
    const { share, left } = arrivalProgress({ step, size }, paces, since);
    return { share: Math.round(100 * share) / 100, left: Math.round(left) };
  };
  assert.deepEqual(at('uploading', 0), { share: 0, left: 20 });
  assert.deepEqual(at('uploading', 9), { share: 0.2, left: 16 }); // longer than expected: reading is still to come
  assert.deepEqual(at('reading', 4), { share: 0.4, left: 12 });
  assert.deepEqual(at('reading', 60), { share: 0.98, left: 0 }); // never done before it is
  assert.deepEqual(['reading', 'uploading'].map((step) => leftWords(at(step, 4))), ['about 15 s left', 'about 20 s left']);
  assert.equal(leftWords({ share: 0.5, left: 6.2 }), 'about 7 s left');
  assert.equal(leftWords({ share: 0.9, left: 1.4 }), '');
});

test('nothing is claimed where no file came before, or none has a size', () => {
  assert.equal(arrivalProgress({ step: 'uploading', size: 1e6 }, {}, 0), null);
  assert.equal(arrivalProgress({ step: 'reading', size: 1e6 }, { uploading: 1e-6 }, 0), null);
  assert.equal(arrivalProgress({ step: 'reading', size: 0 }, { uploading: 1e-6, reading: 1e-6 }, 0), null);
  assert.deepEqual(learned({ reading: 1e-6 }, 'reading', 1e6, 3), { reading: 2e-6 });
  assert.deepEqual(learned({ reading: 1e-6 }, 'reading', 0, 3), { reading: 1e-6 });
  assert.equal(leftWords(null), '');
});
