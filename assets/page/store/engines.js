/**
 * The engines: what each is called and which colour it has. The table is the server's (`engines/roster.py`) and
 * comes with the page; here stands only what the page adds to it.
 */

/** @type {Record<string, {tag: string, token: string, name: string}>} `token` names the colour, `name` are the plain words. */
export const ENGINES = {
  auto: { tag: 'Fix', token: 'text', name: 'Fix it' }, // only while it runs: its take is one of theirs
};

/** Takes up the server's rows: [{name, tag, words, colour}]. */
export function learnEngines(rows) {
  for (const { name, tag, words, colour } of rows) ENGINES[name] = { tag, token: colour, name: words };
}

/** The engine of a take, also one that this page has not heard of. */
export const engineOf = (name) => ENGINES[name] ?? { tag: String(name ?? ''), token: 'text', name: String(name ?? '') };
