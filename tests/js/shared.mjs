/** The tables that the page shares with Python: `tests/shared/*.json`, which pytest holds true. */

import { readFileSync } from 'node:fs';
import { learnEngines } from '../../assets/page/store/engines.js';

export const shared = (name) => JSON.parse(readFileSync(new URL(`../shared/${name}.json`, import.meta.url), 'utf8'));

/** The engines as the page gets them from the server. */
export const withEngines = () => learnEngines(shared('engines'));
