/**
 * The sections between minimap and ruler: a button for each. A click makes its bars the span, the chevron, the right
 * button and Enter open its menu; a drag moves it with its sound and its lanes, with Alt it copies, an edge moves
 * its border by bars.
 */

import { desk } from '../store/desk.js';
import { drag, reach } from '../parts/gestures.js';
import { icons } from '../parts/icons.js';
import { html, refresh, render } from '../parts/markup.js';
import { newId } from '../music/cells.js';
import { timeToX } from '../music/time.js';
import { barTime, barsOf, barsWords, copied, countBars, moved, nearestBar, newBars, placed, regionOf, split } from './bars.js';
import { SectionMenu, actOf } from './section-menu.js';

const EDGE = [6, 14]; // pixels at a border that move it, for a mouse and a finger
const PATIENCE = 200; // frames until a button of a run is ready

export class SectionRow {
  draft = null; // the section whose border is being moved
  #drop = null; // the bar before which a dragged one would stand

  constructor(timeline, host, head) {
    this.timeline = timeline;
    this.host = host;
    this.head = head;
    render(head, html`<b>Sections</b>`);
    host.setAttribute('role', 'toolbar');
    host.setAttribute('aria-label', 'Sections');
    this.menu = new SectionMenu(timeline, this);
    host.addEventListener('pointerdown', (event) => this.#press(event));
    host.addEventListener('click', (event) => this.#click(event));
    host.addEventListener('contextmenu', (event) => this.#open(event));
    host.addEventListener('keydown', (event) => this.#key(event));
  }

  get items() {
    const { sections } = desk.doc;
    return this.draft ? placed(sections, this.draft) : sections;
  }

  #of(event) {
    const id = event.target.closest?.('.section')?.dataset.id;
    return desk.doc.sections.find((section) => section.id === id) ?? null;
  }

  // ---- drawing

  draw() {
    const { items, timeline } = this;
    timeline.board.classList.toggle('sectioned', items.length > 0);
    const { view } = timeline;
    const { grid, region } = desk.doc;
    const cells = items.map((section) => {
      const left = Math.max(0, timeToX(view, barTime(grid, section.start))); // its name stays in sight
      const wide = Math.min(timeline.width, timeToX(view, barTime(grid, section.end))) - left;
      if (wide < 2) return '';
      const own = regionOf(grid, section, timeline.duration);
      const on = region && Math.abs(region.start - own.start) < 1e-3 && Math.abs(region.end - own.end) < 1e-3;
      return html`<button class="section" data-id="${section.id}" aria-haspopup="dialog" aria-pressed="${Boolean(on)}" aria-label="${section.name}, ${barsWords(section)}, menu"
        title="Click: the span over it. Right click or Enter: more" style="left:${(left + 1).toFixed(1)}px;width:${Math.max(4, wide - 2).toFixed(1)}px"><b>${section.name}</b><span class="soft">${countBars(section)}</span><i class="more">${icons.down}</i></button>`;
    });
    const drop = this.#drop === null ? '' : html`<i class="drop" style="left:${timeToX(view, barTime(grid, this.#drop)).toFixed(1)}px"></i>`;
    const held = this.timeline.shadowRoot.activeElement?.closest?.('.section')?.dataset.id;
    if (refresh(this.host, html`${cells}${drop}`) && held) this.host.querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  // ---- gestures

  #press(event) {
    const section = this.#of(event);
    if (!section || event.button !== 0 || event.target.closest('.more')) return;
    const box = event.target.closest('.section').getBoundingClientRect();
    const near = reach(event, ...EDGE);
    const at = (now) => nearestBar(desk.doc.grid, this.timeline.timeAt(now));
    const { left } = this.host.getBoundingClientRect();
    const isAt = (bar) => Math.abs(left + timeToX(this.timeline.view, barTime(desk.doc.grid, bar)) - event.clientX) <= near; // not where it is cut off
    const edge = event.clientX > box.right - near && isAt(section.end) ? 'end' : event.clientX < box.left + near && isAt(section.start) ? 'start' : '';
    drag(event, this.host, edge ? this.#stretch(section, edge, at) : this.#carry(section, event, at));
  }

  /** A border, by bars. */
  #stretch(section, edge, at) {
    const { first, last } = barsOf(desk.doc.grid, this.timeline.duration);
    const to = (now) => {
      const bar = Math.min(last, Math.max(first, at(now)));
      return edge === 'end' ? { ...section, end: Math.max(section.start + 1, bar) } : { ...section, start: Math.min(section.end - 1, bar) };
    };
    return {
      move: (now) => this.#show({ draft: to(now) }),
      end: (now) => {
        const { start, end } = to(now);
        this.#show({});
        if (start !== section.start || end !== section.end) this.#edit('set_section', { id: section.id, start, end }, placed(desk.doc.sections, { ...section, start, end }));
      },
      cancel: () => this.#show({}),
    };
  }

  /** The whole of it, to another bar. */
  #carry(section, down, at) {
    const grip = this.timeline.timeAt(down) - barTime(desk.doc.grid, section.start);
    const { first, last } = barsOf(desk.doc.grid, this.timeline.duration);
    const to = (now) => {
      const bar = at(now);
      const start = nearestBar(desk.doc.grid, this.timeline.timeAt(now) - grip);
      return Math.min(last, Math.max(first, start > section.start && !now.altKey ? Math.max(start + section.end - section.start, bar) : start));
    };
    const stays = (bar, now) => !now.altKey && bar >= section.start && bar <= section.end;
    return {
      move: (now) => this.#show({ drop: stays(to(now), now) ? null : to(now) }),
      end: (now) => {
        const bar = to(now);
        this.#show({});
        if (stays(bar, now)) return;
        if (now.altKey) this.copyTo(section, bar);
        else this.#arrange('move_section', { id: section.id, at: bar }, moved(desk.doc.sections, section, bar), `Moving ${section.name} …`);
      },
      cancel: () => this.#show({}),
    };
  }

  #show({ draft = null, drop = null }) {
    this.draft = draft;
    this.#drop = drop;
    this.timeline.redraw();
  }

  #click(event) {
    const section = this.#of(event);
    if (!section) return;
    if (event.detail === 0 || event.target.closest('.more')) this.#open(event);
    else this.span(section);
  }

  #open(event) {
    const section = this.#of(event);
    if (!section) return;
    event.preventDefault();
    event.stopPropagation();
    this.menu.open(section, event.target.closest('.section'));
  }

  #key(event) {
    const section = this.#of(event);
    if (!section) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !event.ctrlKey && !event.metaKey) {
      const all = [...this.host.querySelectorAll('.section')];
      all[all.indexOf(event.target.closest('.section')) + step]?.focus();
    } else if (actOf(event)) this.act(actOf(event), section);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- what can be done with one

  act(act, section) {
    const acts = {
      remake: () => this.#make(section),
      copy: () => {
        this.timeline.clipboard = { lane: 'sections', items: section.id };
        this.timeline.say(`${section.name} is copied. Ctrl V puts it at the playhead.`, true);
      },
      repeat: () => this.#repeat(section),
      vary: () => this.#vary(section),
      loop: () => this.#loop(section),
      export: () => desk.download('section', section.id),
      split: () => this.#split(section),
      remove: () => this.#edit('remove_section', { id: section.id }, desk.doc.sections.filter(({ id }) => id !== section.id)),
    };
    acts[act]?.();
  }

  /** One more section: over the span, else behind the last one. */
  add() {
    const { sections, grid, region } = desk.doc;
    const bars = newBars(sections, grid, region, this.timeline.duration);
    if (!bars) return this.timeline.say('Every bar has a section. Select a span to name its bars anew.');
    const section = { id: newId('b'), name: sections.length ? 'Verse' : 'Intro', ...bars };
    return this.#edit('add_section', section, placed(sections, section));
  }

  /** Sections where the clip changes, instead of those there are: one undo step. */
  async find() {
    this.timeline.sayUnderWay('Listening for where the clip changes …');
    const { sections, error } = await desk.sectionsOfClip();
    if (error) return this.timeline.say(error);
    if (sections.length < 2) return this.timeline.say('It sounds much the same all through: no sections were found.', true);
    this.#edit('set_sections', { sections }, sections.map((section) => ({ ...section, id: newId('b') })));
    return this.timeline.say(`${sections.length} sections were found. Their names are a guess; undo takes them back.`, true);
  }

  rename(section, name) {
    if (name === section.name) return;
    this.#edit('name_section', { id: section.id, name }, placed(desk.doc.sections, { ...section, name }));
  }

  /** The clipboard's section at the playhead's bar. */
  paste(id) {
    const section = desk.doc.sections.find((known) => known.id === id);
    if (!section) return false;
    const { first, last } = barsOf(desk.doc.grid, this.timeline.duration);
    this.copyTo(section, Math.min(last, Math.max(first, nearestBar(desk.doc.grid, desk.player.position))));
    return true;
  }

  copyTo(section, at) {
    const id = newId('b');
    this.#arrange('copy_section', { id: section.id, at, new: id }, copied(desk.doc.sections, section, at, id), `Copying ${section.name} …`);
  }

  #repeat(section) {
    const id = newId('b');
    this.#arrange('repeat_section', { id: section.id, new: id }, copied(desk.doc.sections, section, section.end, id), `Repeating ${section.name} …`);
  }

  span(section) {
    const { grid, spans, active } = desk.doc;
    const region = regionOf(grid, section, this.timeline.duration);
    const known = spans.find((span) => Math.abs(span.start - region.start) < 1e-3 && Math.abs(span.end - region.end) < 1e-3);
    if (known) desk.activateSpan(known.id);
    else desk.putSpan({ id: active || newId('s'), ...region });
  }

  #loop(section) {
    this.span(section);
    if (!desk.looping) desk.toggleLoop();
    desk.player.play(regionOf(desk.doc.grid, section, this.timeline.duration).start);
  }

  #split(section) {
    const bar = nearestBar(desk.doc.grid, desk.player.position);
    const id = newId('b');
    const made = split(desk.doc.sections, section, bar, id);
    if (made) this.#edit('split_section', { id: section.id, bar, new: id }, made);
    else this.timeline.say(`Put the playhead between the bars of ${section.name}, then split it.`);
  }

  async #make(section) {
    this.span(section);
    await this.#run();
  }

  /** Once more behind itself, and the copy made anew: other than what it was. */
  async #vary(section) {
    const { grid } = desk.doc;
    const seconds = barTime(grid, section.end) - barTime(grid, section.start);
    const whole = this.timeline.duration + seconds;
    this.#repeat(section);
    const copy = { start: section.end, end: section.end + section.end - section.start };
    const id = newId('s');
    desk.putSpan({ id, ...regionOf(grid, copy, whole) });
    desk.edit('set_intent', { span: id, intent: 'change' }, {});
    await this.#run();
  }

  /** Presses Inpaint once the server has all that came before. */
  async #run() {
    await desk.answer(desk.doc.rev);
    for (let frame = 0; frame < PATIENCE; frame++) {
      const button = document.querySelector('#inpaint button, button#inpaint');
      if (button && !button.disabled && desk.settled) return desk.tell('press', { id: 'inpaint' });
      await new Promise((resolve) => { requestAnimationFrame(resolve); });
    }
    return undefined;
  }

  #edit(name, payload, sections) {
    desk.edit(name, payload, { sections });
  }

  /** What moves sound, too: names and borders stand in their new order at once, the sound follows; until then it is said. */
  #arrange(name, payload, sections, words) {
    this.#edit(name, payload, sections);
    this.timeline.sayUnderWay(words);
  }
}
