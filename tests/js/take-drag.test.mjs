import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dragged, isFile } from '../../assets/page/takes/take-drag.js';

const TAKE = { kind: 'take', state: 'ready', file: 'gradio_api/file=/home/a%20b/x.flac', file_name: 'My song FM seed 7.flac' };

test('a drag carries the file under the name of the take, wherever the page is mounted', () => {
  const carried = dragged(TAKE, 'http://127.0.0.1:7860/music/');
  const url = 'http://127.0.0.1:7860/music/gradio_api/file=/home/a%20b/x.flac';
  assert.equal(carried.DownloadURL, `audio/flac:My song FM seed 7.flac:${url}`);
  assert.equal(carried['text/uri-list'], url);
  assert.match(dragged({ ...TAKE, file_name: 'a: b.wav' }, 'http://h/').DownloadURL, /^audio\/wav:a- b\.wav:http/);
});

test('only a take that is ready is a file', () => {
  assert.equal(isFile(TAKE), true);
  for (const other of [{ state: 'running' }, { kind: 'original' }, { file: '' }]) assert.equal(isFile({ ...TAKE, ...other }), false);
});
