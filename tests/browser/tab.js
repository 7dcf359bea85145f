/**
 * What tab.py does on a page that tests hand on, as one expression: the way back to how it was when it was opened, and
 * all that a test could find on it.
 */

({
  viewed: false, // whether another view was shown: Listen loops by itself only the first time, which cannot be taken back
  made: new WeakMap(), // function -> its number: one that was put in another's place has another
  count: 0,

  /** From now on what cannot be taken back is kept in mind. */
  begin() {
    window.inlay.desk.addEventListener('change', ({ detail }) => { this.viewed ||= detail.what === 'view'; });
  },

  /** A new project, nothing stored, and new elements of ours; false where there is no way back. */
  async renew() {
    const { desk } = window.inlay;
    if (this.viewed || desk.run || desk.arriving || !desk.settled) return false;
    for (const sheet of document.querySelectorAll('dialog[open]')) sheet.close();
    desk.timeline.closePopovers();
    document.activeElement?.blur();
    await new Promise((turn) => { setTimeout(turn); }); // what was typed is sent with the next turn
    desk.player.pause();
    desk.player.mute(false);
    if (desk.looping) desk.toggleLoop();
    Object.assign(desk.synth, { on: false, click: false });
    desk.synth.muted.clear();
    document.querySelector('#page').classList.remove('drawn');
    await desk.send('project', { action: 'new', rev: desk.nextRev() });
    desk.player.seek(0);
    this.empty();
    desk.tell('doc');
    desk.tell('takes');
    return true;
  },

  /** Nothing stored, and new elements. */
  empty() {
    localStorage.clear();
    const own = ['inlay-page', 'inlay-project'];
    for (const key of Object.keys(sessionStorage).filter((one) => !own.includes(one))) sessionStorage.removeItem(key);
    for (const name of ['timeline', 'takes', 'spans', 'words', 'note', 'intent', 'take', 'model', 'start']) {
      for (const node of document.querySelectorAll(`inlay-${name}`)) {
        const fresh = document.createElement(`inlay-${name}`);
        if (node.id) fresh.id = node.id;
        node.replaceWith(fresh);
      }
    }
  },

  /** Everything, a line each. */
  seen() {
    const lines = [];
    const say = (...words) => lines.push(words.join(' '));
    this.show(document.body, '', say);
    say('focus', document.activeElement?.localName, document.activeElement?.id, document.title, scrollX, scrollY);
    this.hold(window.inlay.desk, 'desk', say);
    const { position, selected, duration, context } = window.inlay.desk.player;
    say('player', position, selected, duration, context.state);
    for (const storage of [localStorage, sessionStorage]) {
      for (const key of Object.keys(storage).sort()) say('stored', key, storage.getItem(key));
    }
    for (const query of ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']) say(query, matchMedia(query).matches);
    say('window', innerWidth, innerHeight, devicePixelRatio, isSecureContext, Object.keys(window));
    say('navigator', Object.getOwnPropertyNames(navigator), Object.getOwnPropertyNames(navigator.mediaDevices));
    this.replaced(say);
    return lines.join('\n');
  },

  /** What stands on the page, shadow roots and what fields hold included. */
  show(node, deep, say) {
    if (node.nodeType === Node.TEXT_NODE) return node.data.trim() && say(deep, node.data.trim());
    // The projects of the home are there for a new tab as well; how long Gradio waited for an answer is shown nowhere.
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches('script, .recent, [data-testid=status-tracker]')) return undefined;
    const held = ['value', 'checked', 'disabled', 'open', 'scrollTop', 'scrollLeft', 'width', 'height', 'selectedIndex'];
    say(deep, node.localName,
      ...[...node.attributes].map(({ name, value }) => `${name}=${value.trim().split(/\s+/).join(' ')}`).sort(),
      ...held.filter((name) => !['object', 'undefined'].includes(typeof node[name])).map((name) => `${name}:${node[name]}`));
    const inner = node.shadowRoot;
    if (inner) say(deep, 'focus', inner.activeElement?.className);
    for (const child of [...(inner?.childNodes ?? []), ...node.childNodes]) this.show(child, `${deep} `, say);
    return undefined;
  },

  /** What the desk and all that hangs on it hold. */
  hold(desk, name, say) {
    const been = new Set([window]);
    const passing = ['rev', 'serial', 'seen']; // numbers of answers
    const leaf = (thing) => (thing instanceof Node ? !thing.localName?.startsWith('inlay-')
      : thing instanceof BaseAudioContext || thing instanceof AudioNode || thing instanceof AudioBuffer || ArrayBuffer.isView(thing));
    const look = (thing, place) => {
      if (been.has(thing) || leaf(thing)) return;
      been.add(thing);
      if (thing instanceof Set || thing instanceof Map) return void say(place, thing.size, [...thing.keys()].map(String));
      for (const [key, value] of Object.entries(thing)) {
        const there = `${place}.${key}`;
        if (thing === desk.doc && passing.includes(key)) continue;
        if (typeof value === 'function') say(there, thing === desk ? this.known(value) : '()');
        else if (value && typeof value === 'object') look(value, there);
        else say(there, String(value));
      }
    };
    look(desk, name);
  },

  known(made) {
    if (!this.made.has(made)) this.made.set(made, this.count += 1);
    return this.made.get(made);
  },

  /** What is not the browser's own any more. */
  replaced(say) {
    const foreign = (made) => typeof made === 'function' && !Function.prototype.toString.call(made).includes('[native code]');
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(window))) {
      if (foreign(value)) say('replaced', name, this.known(value));
      const parts = Object.entries(Object.getOwnPropertyDescriptors(value?.prototype ?? {}));
      for (const [part, { value: made }] of parts) if (foreign(made)) say('replaced', name, part, this.known(made));
    }
  },
});
