/**
 * What test_hostile.py does on the page, as one expression: a document and takes in which all words are code, what of
 * it has become markup, and what a browser reads of markup. Ids are code, too: nothing says what they hold.
 */

({
  /** A module of the page: the one that it has loaded. */
  room(file) {
    const bridge = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/shell/bridge.js'));
    return import(new URL(`../${file}`, bridge.name).href);
  },

  /** Elements and attributes that only code has, and words that were escaped twice or worked out, in all trees of the page. */
  strays() {
    const found = [];
    const wrong = (words) => /&amp;|&quot;|&#39;|\{\{49|49\}\}/.test(words);
    const look = (root) => {
      for (const node of root.querySelectorAll('*')) {
        const attributes = [...node.attributes];
        if (node.localName === 'img' || attributes.some(({ name }) => /^on|[<>'"]/.test(name))) found.push(node.outerHTML);
        const words = [...node.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data);
        found.push(...[...words, ...attributes.map(({ value }) => value)].filter(wrong));
        if (node.shadowRoot) look(node.shadowRoot);
      }
    };
    look(document.body);
    return found;
  },

  documentOf(code) {
    const { desk } = window.inlay;
    const word = { name: code, plays: true, text: code };
    const region = { start: 1, end: 2 };
    const span = { ...region, follow: [], changed: [], ignored: [], words: [word], intent: 'change', resolved: 'change' };
    desk.instruments = [{ name: code, family: code, short: code, also: [] }];
    desk.receive({
      ...desk.doc,
      serial: desk.doc.serial + 1,
      ...{ error: code, undo: code, redo: code, region, active: code, words: [word] },
      clip: { ...desk.doc.clip, label: code },
      conflicts: [{ text: code, action: code, name: code, payload: {} }],
      spans: [{ ...span, id: code, prompt: code, reason: code }],
      sections: [{ id: code, name: code, start: 0, end: 2 }],
      chords: [{ id: code, start: 0, end: 8, symbol: code }],
      band: [{ id: code, start: 0, end: 8, name: code, plays: true, sure: 1, by: 'drawn' }],
    });
  },

  takesOf(code) {
    const { desk } = window.inlay;
    const region = { start: 1, end: 2 };
    const seam = { time: 1, jump: 0, level: 0, brightness: 0, click: 0, score: 0, words: code };
    const wish = { kind: 'instrument', name: code, plays: true, share: 0, sure: 1, seconds: 1, words: code };
    const beginning = { start: code, curve: [[0, 1], [1, 0]], dropped: null, chosen: true };
    const track = (digit, more) => ({
      ...{ id: code + digit, digit, kind: 'take', extends: '', state: 'ready', seed: 1, starred: false, kept: false, whole: false },
      ...{ engine: digit % 2 ? code : 'ar', name: code, why: code, why_more: code, note: code, words: code, file_name: code },
      ...{ region, spans: [], seams: [seam], wish: digit > 2 ? [] : [wish], wishState: '', asked: [code], progress: 0, peaks: [], peak_seconds: 0.1 },
      ...{ url: desk.doc.clip.url, file: `javascript:${code}`, start: 0, seconds: desk.doc.clip.seconds },
      ...{ band: [{ name: code, start: 1, end: 2, sure: 1 }], details: [[code, code]] },
      search: { budget: 9, spent: 9, candidates: [beginning] },
      ...more,
    });
    const tracks = [
      track(0, { kind: 'original', engine: '', wish: [] }),
      ...[1, 2, 3].map((digit) => track(digit, {})),
      ...['failed', 'waiting', 'cancelled', 'interrupted'].map((state, i) => track(4 + i, { state })),
    ];
    const group = { label: code, spans: [], extends: '' };
    desk.receiveTakes({
      groups: [{ ...group, id: `${code}1`, region: null, tracks: [] }, { ...group, id: code, region, tracks }],
      versions: [{ id: code, label: code, engine: code, parent: null, current: true }],
      deleted: [{ id: code, label: code }],
      results: [{ engine: code, smoothness: [5, 1], match: [5, 1], preferred: 1, rounds: 2, words: code }],
      rounds: 2,
      run: false,
    });
  },

  /** What the server says of projects and models when it is asked. */
  answersOf(code) {
    const { desk } = window.inlay;
    const entry = { folder: code, name: code, words: code, key: code, bpm: 90, takes: 1, seconds: 9, saved: '2026-01-02 03:04' };
    const engine = { tag: code, colour: code, name: code, words: code, speed: code };
    const told = { version: code, device: code, licence: code, duty: code, report: code };
    desk.recentProjects = async () => [entry];
    desk.pictureOf = async () => ({ peaks: [], span: null });
    desk.atWork = async () => ({ ...told, parts: [[code, code, code]], engines: [engine] });
    desk.model = { ...desk.model, name: code, file: code, facts: [code] };
    const row = {
      ...{ name: code, title: code, maker: code, licence: code, licence_link: code, licence_words: code, words: code, sound: code, why: code, remedy: code, mend: 'get', speed: code, source: code },
      ...{ commercial: true, gated: false, about: false, own: false, size: 1, need: 1, kept: 1, engines: [code], slots: ['ar', 'fm'], takes: [code] },
    };
    const rows = ['here', 'damaged', 'unusable', 'part', 'to get'].map((state, i) => ({ ...row, name: `${code}${i}`, own: !i, state }));
    const failed = { state: 'failed', done: 1, total: 2, left: null, why: code };
    desk.models = async () => ({ rows, downloads: { [rows[4].name]: failed }, device: code, devices: [1, 2].map((n) => ({ name: `${code}${n}`, words: code, free: 1e9, memory: 2e9 })), on: `${code}1`, login: { where: 'file', name: code, place: code }, extra: code, loaded: 1, free: 1e9, memory: 2e9, may: true, ready: true, large: 1 });
  },

  /** Of words from pieces those that a browser does not read as they were written. */
  async misread(pieces) {
    const { attributes, html, render } = await this.room('parts/markup.js');
    const half = String.fromCharCode(0xd800);
    const all = [...pieces, half, ...pieces.flatMap((a) => pieces.map((b) => a + b + half + a))];
    return all.filter((words) => {
      const place = document.createElement('div');
      const shown = words.replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
      render(place, html`<p title="${words}" ${attributes({ 'data-x': words })}>${words}</p><textarea>.${words}</textarea>`);
      const [p, field] = place.children;
      const whole = place.querySelectorAll('*').length === 2 && p.attributes.length === 2;
      return !whole || [p.title, p.dataset.x, p.textContent, field.textContent.slice(1)].some((read) => read !== shown);
    });
  },
})
