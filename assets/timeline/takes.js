/**
 * <inlay-takes>: what the engines made of one span. In the Edit view a strip of cards, in the Listen view a
 * row for each take under one ruler, with a player that switches between them while it plays.
 */

import { desk } from './desk.js';
import { drag } from './gestures.js';
import { ENGINES, icons, tag, text } from './icons.js';
import { showWhenStyled, styles } from './styled.js';
import { loudest } from './peaks.js';
import { drawWave, prepare, tokens } from './wave.js';
import { roman } from './chords.js';
import { barWords, beatsToSeconds, clamp, formatClock, formatShort, formatSpan, ticks, timeToX, xToTime } from './time.js';

const STYLE = new URL('./takes.css', import.meta.url).href;
const AROUND = 1; // seconds beside the span on a card
const LISTEN_AROUND = 2; // seconds beside the span in Listen

const TEMPLATE = `
${styles(STYLE)}
<section class="strip" aria-label="Takes">
  <header><h2></h2><span class="count soft"></span><span class="spring"></span>
    <span class="pager"></span>
    <button class="compare" title="Listen to the takes side by side (C)">Compare <kbd>C</kbd></button></header>
  <div class="cards"></div>
  <div class="story">
    ${['Drag|over what should change. The span turns yellow.', 'Inpaint.|Three engines re-make it along your chords.', 'Keep|the take that sits best. The rest stays untouched.']
    .map((line) => line.split('|')).map(([verb, rest]) => `<figure><canvas></canvas><figcaption><b>${verb}</b> ${rest}</figcaption></figure>`).join('')}
  </div>
</section>
<section class="listen" aria-label="Listen" tabindex="0">
  <header><h2></h2><span class="soft num span-words"></span><span class="spring"></span><span class="pager"></span>
    <span class="soft">Switch with <kbd class="least">0</kbd>–<kbd class="most">3</kbd></span></header>
  <div class="rows">
    <div class="scale"><div class="left soft">Bar, seconds<br>Asked chords</div><div class="middle"><canvas></canvas><div class="asked"></div></div><div class="right soft">Seams and actions</div></div>
    <div class="tracks"></div>
    <div class="line"><i></i></div>
  </div>
  <div class="nothing"><h2>Nothing to compare yet</h2><p>Select a span in Edit and press Inpaint: the takes stand here side by side.</p></div>
  <footer><button class="play" aria-label="Play" title="Play or pause (Space)">${icons.play}</button>
    <button class="ic loop" aria-label="Loop the span" aria-pressed="false" title="Loop the span, two seconds around it (L)">${icons.loop}</button>
    <output class="time" aria-label="Time"></output><span class="soft bar"></span>
    <div class="switch" role="group" aria-label="Switch take"></div></footer>
</section>
<p class="live" role="status" aria-live="polite"></p>
`;

const seamIcon = (words) => (/^smooth/i.test(words) ? icons.check : icons.warn);
const numbers = (seam) =>
  `jump ${seam.jump.toFixed(1)} dB, level ${seam.level.toFixed(1)} dB, brightness ${seam.brightness.toFixed(1)} dB, ` +
  `worse than ${Math.round(seam.score * 100)} % of this recording's own moments`;

/** At most two sentences for a card, worst first: [{words, worst, title}]. */
export function seamSentences(seams) {
  const rough = seams.filter((seam) => !/^smooth/i.test(seam.words)).sort((a, b) => b.score - a.score);
  if (!seams.length) return [];
  if (!rough.length) return [{ words: seams.length > 1 ? 'Smooth at both ends' : `Smooth at ${formatShort(seams[0].time)}`, rough: false, title: seams.map(numbers).join('\n') }];
  return rough.map((seam) => ({ words: `${seam.words} at ${formatShort(seam.time)}`, rough: true, title: numbers(seam) }));
}

export class Takes extends HTMLElement {
  #scope = null;
  #frame = 0;
  #signature = '';

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: 'open' }).innerHTML = TEMPLATE;
      showWhenStyled(this);
    }
    this.#scope = new AbortController();
    const options = { signal: this.#scope.signal };
    desk.addEventListener('change', () => this.redraw(), options);
    const theme = new MutationObserver(() => this.redraw());
    theme.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    const sized = new ResizeObserver(() => this.redraw());
    sized.observe(this);
    this.#scope.signal.addEventListener('abort', () => {
      sized.disconnect();
      theme.disconnect();
    });
    this.shadowRoot.addEventListener('click', (event) => this.#click(event), options);
    this.find('.tracks').addEventListener('pointerdown', (event) => this.#seek(event), options);
    const tick = () => {
      this.#frame = requestAnimationFrame(tick);
      this.#playhead();
    };
    tick();
    this.redraw();
  }

  disconnectedCallback() {
    this.#scope?.abort();
    cancelAnimationFrame(this.#frame);
  }

  find(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  // ---- drawing

  #pending = false;
  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    const { group, view } = desk;
    this.dataset.view = view;
    const tracks = group?.tracks ?? [];
    const colour = tokens(this);
    this.#pager();
    if (view === 'edit') this.#drawStrip(group, tracks, colour);
    else this.#drawListen(group, tracks, colour);
  }

  #pager() {
    const { groups, groupIndex } = desk;
    for (const pager of this.shadowRoot.querySelectorAll('.pager')) {
      const markup = groups.length < 2 ? '' :
        `<button class="ic" data-group="${groupIndex - 1}" ${groupIndex ? '' : 'disabled'} aria-label="Earlier takes" title="Earlier takes">${icons.left}</button>
         <span class="soft num">${groupIndex + 1} of ${groups.length}</span>
         <button class="ic" data-group="${groupIndex + 1}" ${groupIndex < groups.length - 1 ? '' : 'disabled'} aria-label="Later takes" title="Later takes">${icons.right}</button>`;
      if (pager.dataset.markup !== markup) pager.innerHTML = pager.dataset.markup = markup;
    }
  }

  #counts(tracks) {
    const count = (state) => tracks.filter((track) => track.kind === 'take' && track.state === state).length;
    return [['ready', 'ready'], ['running', 'running'], ['waiting', 'waiting'], ['failed', 'failed'], ['cancelled', 'cancelled']]
      .map(([state, word]) => [count(state), word]).filter(([n]) => n).map(([n, word]) => `${n} ${word}`).join(', ');
  }

  /** Everything of a card that its markup depends on; the heart of a card is redrawn without new nodes. */
  #sign(tracks) {
    return JSON.stringify([desk.view, desk.group?.id, desk.track?.id, desk.player.playing, tracks.map((t) => [t.id, t.state, t.kept, t.words, t.digit])]);
  }

  #drawStrip(group, tracks, colour) {
    this.find('.strip h2').textContent = group ? `Takes of ${group.label}` : 'Takes';
    this.find('.strip .count').textContent = this.#counts(tracks);
    this.find('.story').hidden = Boolean(group);
    this.find('.cards').hidden = !group;
    this.find('.compare').disabled = !tracks.some((track) => track.kind === 'take' && track.state === 'ready');
    if (!group) return this.#drawStory(colour);
    const sign = this.#sign(tracks);
    if (sign !== this.#signature) {
      const focus = this.shadowRoot.activeElement?.dataset;
      this.#signature = sign;
      this.find('.cards').innerHTML = tracks.map((track) => this.#card(track)).join('');
      this.#refocus(focus);
    }
    for (const track of tracks) this.#moveProgress(track);
    for (const canvas of this.shadowRoot.querySelectorAll('.card canvas')) {
      const track = tracks.find(({ id }) => id === canvas.dataset.wave);
      if (track) this.#drawTrack(canvas, track, this.#cardView(track, canvas), colour);
    }
    return undefined;
  }

  #refocus(data) {
    if (!data?.act) return;
    this.find(`[data-act="${data.act}"][data-id="${CSS.escape(data.id)}"]`)?.focus({ preventScroll: true });
  }

  #cardView(track, canvas) {
    const { region } = track;
    const start = region ? Math.max(0, region.start - AROUND) : 0;
    const end = region ? Math.min(region.end + AROUND, Math.max(desk.duration, region.end)) : track.seconds || 1;
    return { start, pps: canvas.clientWidth / Math.max(end - start, 0.1) };
  }

  #heard(track) {
    return desk.track?.id === track.id || (!desk.track && track.kept);
  }

  #card(track) {
    const button = (act, icon, label, title, extra = '') =>
      `<button data-act="${act}" data-id="${track.id}" title="${title}" ${label ? '' : `aria-label="${title}"`} ${extra}>${icon}${label ? `<span>${label}</span>` : ''}</button>`;
    const name = track.kind === 'original' ? '<b>Original</b>' : `${tag(track.engine)}<span class="num">seed ${track.seed}</span>`;
    const playing = desk.player.playing && desk.track?.id === track.id;
    let words;
    let actions;
    if (track.state === 'ready') {
      const seams = seamSentences(track.seams).slice(0, 1);
      const lines = track.kind === 'original'
        ? [`${icons.wave}<span>Before these takes</span>`]
        : seams.length ? seams.map(({ words: line, rough, title }) => `${rough ? icons.warn : icons.check}<span title="${text(title)}">${text(line)}</span>`)
          : [`${icons.wave}<span>A new clip</span>`];
      words = `<p class="say">${lines[0]}</p><p class="say soft">${track.kept ? 'Kept, on the timeline' : text(track.words)}</p>`;
      actions = button('hear', playing ? icons.pause : icons.play, track.kind === 'original' ? 'Play' : '', playing ? 'Pause' : 'Play');
      if (track.kind === 'take') {
        actions += button('keep', track.kept ? icons.check : '', track.kept ? 'Kept' : 'Keep', 'Put this take on the timeline (K)', track.kept ? 'disabled class="wide"' : 'class="wide"');
        actions += button('seed', icons.dice, '', 'Another seed (E)');
      }
    } else if (track.state === 'running' || track.state === 'waiting') {
      words = `<div class="progress" style="--e:var(--${ENGINES[track.engine].token})"><i></i></div><p class="say note">${track.state === 'waiting' ? icons.clock : ''}<span></span></p>`;
      actions = button('cancel', icons.close, 'Cancel', 'Cancel the run');
    } else {
      words = `<p class="say ${track.state}">${track.state === 'failed' ? icons.warn : icons.close}<span>${text(track.note)}</span></p>`;
      actions = button('retry', '', 'Try again', 'Run it again');
    }
    const digit = track.digit === null ? '' : `<kbd class="digit">${track.digit}</kbd>`;
    return `<article class="card ${track.state} ${this.#heard(track) ? 'heard' : ''}" aria-label="${text(this.#label(track))}">
      <header>${digit}${name}</header><canvas data-wave="${track.id}"></canvas>
      <div class="words">${words}</div><div class="actions">${actions}</div></article>`;
  }

  #label(track) {
    const name = track.kind === 'original' ? 'Original' : ENGINES[track.engine]?.tag ?? track.engine;
    return `Take ${track.digit ?? ''}, ${name}, ${track.kept ? 'kept' : track.state}`;
  }

  #moveProgress(track) {
    if (track.state !== 'running' && track.state !== 'waiting') return;
    const canvas = this.find(`canvas[data-wave="${CSS.escape(track.id)}"]`);
    const card = canvas?.closest('.card, .row');
    const bar = card?.querySelector('.progress i');
    if (bar) bar.style.width = `${(track.progress * 100).toFixed(1)}%`;
    const note = card?.querySelector('.note span');
    if (note && note.textContent !== track.note) note.textContent = track.note;
  }

  /** One take's waveform: the clip outside the span, the take in its engine's colour inside. */
  #drawTrack(canvas, track, view, colour) {
    const { c, width, height } = prepare(canvas);
    const { region } = track;
    const base = desk.pyramid('base');
    const own = desk.pyramid(track.id);
    const gain = Math.min(8, 0.92 / Math.max(loudest(base ?? own ?? { length: 0, levels: [{ size: 64, min: [], max: [] }] }), 0.05));
    const shape = { middle: height / 2, half: height / 2 - 2, gain };
    const ink = track.kind === 'original' ? colour('wave') : colour(ENGINES[track.engine]?.token ?? 'wave');
    if (!region) {
      drawWave(c, own, view, { ...shape, from: 0, to: width, colour: ink });
      return;
    }
    const [from, to] = [timeToX(view, region.start), timeToX(view, region.end)];
    c.fillStyle = colour('span-tint');
    c.fillRect(from, 0, to - from, height);
    drawWave(c, base ?? own, view, { ...shape, from: 0, to: from, colour: colour('wave'), alpha: 0.5 });
    drawWave(c, own, view, { ...shape, from, to, colour: ink });
    drawWave(c, base ?? own, view, { ...shape, from: to, to: width, colour: colour('wave'), alpha: 0.5 });
    if (track.state === 'running' || track.state === 'waiting') {
      c.fillStyle = colour('line2');
      c.fillRect(from, height / 2, to - from, 1);
    }
    if (track.state === 'running') {
      c.fillStyle = ink;
      c.fillRect(from + (to - from) * track.progress - 1, 2, 2, height - 4);
    }
    c.fillStyle = colour('span-edge');
    c.fillRect(from - 1, 0, 2, height);
    c.fillRect(to - 1, 0, 2, height);
  }

  /** Three pictures that say how it goes, while there is nothing to show. */
  #drawStory(colour) {
    const canvases = this.shadowRoot.querySelectorAll('.story canvas');
    const bars = (i) => 0.25 + 0.65 * Math.abs(Math.sin(i * 1.7) * Math.cos(i * 0.37)) * (0.5 + 0.5 * Math.exp(-(i % 9) / 4));
    canvases.forEach((canvas, story) => {
      const { c, width, height } = prepare(canvas);
      const [from, to] = [width * 0.27, width * 0.73];
      c.fillStyle = colour('span-tint');
      c.fillRect(from, 0, to - from, height);
      const rows = story === 1 ? ['ar', 'fm', 'zs'] : [story === 2 ? 'fm' : 'span-wave'];
      for (let x = 0, i = 0; x < width; x += 3, i++) {
        const inside = x >= from && x < to;
        const lines = inside ? rows : ['wave'];
        lines.forEach((name, row) => {
          c.globalAlpha = inside ? 1 : 0.45;
          c.fillStyle = colour(name);
          const middle = (height * (row + 0.5)) / lines.length;
          const tall = ((bars(i + row * 7) * height) / lines.length) * 0.85;
          c.fillRect(x, middle - tall / 2, 2, tall);
        });
      }
      c.globalAlpha = 1;
      c.fillStyle = colour('span-edge');
      c.fillRect(from - 1, 0, 2, height);
      c.fillRect(to - 1, 0, 2, height);
    });
  }

  // ---- Listen

  #listenView() {
    const width = this.find('.scale .middle').clientWidth || 1;
    const region = desk.group?.region;
    const length = Math.max(desk.duration, region?.end ?? 0, ...(desk.group?.tracks ?? []).filter((t) => t.whole).map((t) => t.seconds));
    const start = region ? Math.max(0, region.start - LISTEN_AROUND) : 0;
    const end = region ? Math.min(length, region.end + LISTEN_AROUND) : length;
    return { start, end, pps: width / Math.max(end - start, 0.1) };
  }

  #drawListen(group, tracks, colour) {
    this.find('.nothing').hidden = Boolean(group);
    this.find('.rows').hidden = !group;
    this.find('.listen h2').textContent = group ? (group.region ? 'Span' : 'Generated clips') : 'Listen';
    this.find('.span-words').textContent = group?.region ? formatSpan(group.region) : '';
    this.find('.listen .least').textContent = group?.region ? 0 : 1;
    this.find('.listen .most').textContent = Math.max(1, ...tracks.map((track) => track.digit ?? 0));
    if (group) {
      const view = this.#listenView();
      this.#drawScale(group, view, colour);
      const sign = this.#sign(tracks);
      if (sign !== this.#signature) {
        const focus = this.shadowRoot.activeElement?.dataset;
        this.#signature = sign;
        this.find('.tracks').innerHTML = tracks.map((track) => this.#row(track)).join('');
        this.find('.switch').innerHTML = tracks.filter((track) => track.digit !== null).map((track) => this.#switch(track)).join('');
        this.#refocus(focus);
      }
      for (const track of tracks) {
        this.#moveProgress(track);
        const canvas = this.find(`.row canvas[data-wave="${CSS.escape(track.id)}"]`);
        if (canvas) {
          this.#drawTrack(canvas, track, view, colour);
          this.#placeMarks(canvas.parentElement, track, view);
        }
      }
    } else {
      this.find('.switch').innerHTML = '';
      this.#signature = '';
    }
    const play = this.find('.listen .play');
    play.innerHTML = desk.player.playing ? icons.pause : icons.play;
    play.setAttribute('aria-label', desk.player.playing ? 'Pause' : 'Play');
    play.disabled = !desk.player.tracks.size;
    this.find('.listen .loop').setAttribute('aria-pressed', desk.looping);
  }

  #drawScale(group, view, colour) {
    const { c, width, height } = prepare(this.find('.scale canvas'));
    c.textBaseline = 'middle';
    for (const tick of ticks(desk.doc.grid, view, width, view.end)) {
      const x = Math.round(timeToX(view, tick.time)) + 0.5;
      c.strokeStyle = colour(tick.beat === 1 ? 'line2' : 'line');
      c.beginPath();
      c.moveTo(x, tick.beat === 1 ? 0 : height - 6);
      c.lineTo(x, height);
      c.stroke();
      if (!tick.label || x > width - 30) continue;
      c.font = `600 12px ${colour('font')}`;
      c.fillStyle = colour('text');
      c.fillText(tick.bar, x + 5, 11);
      const used = c.measureText(tick.bar).width;
      c.font = `400 11px ${colour('font')}`;
      c.fillStyle = colour('muted');
      c.fillText(formatShort(tick.time), x + 11 + used, 11.5);
    }
    const cells = desk.doc.chords.map((cell) => {
      const start = beatsToSeconds(desk.doc.grid, cell.start);
      const end = beatsToSeconds(desk.doc.grid, cell.end);
      if (end <= view.start || start >= view.end) return '';
      const inside = group.region && start < group.region.end && end > group.region.start;
      const left = Math.max(0, timeToX(view, start));
      const right = Math.min(width, timeToX(view, end));
      return `<span class="${inside ? 'in' : ''}" style="left:${left + 1}px;width:${Math.max(right - left - 3, 2)}px"><b>${text(cell.symbol)}</b> <small>${text(roman(cell.symbol, desk.key))}</small></span>`;
    });
    this.find('.asked').innerHTML = cells.join('');
  }

  #row(track) {
    const heard = this.#heard(track);
    const playing = desk.player.playing && desk.track?.id === track.id;
    const name = track.kind === 'original' ? '<b>Original</b>' : `${tag(track.engine)} <b>${ENGINES[track.engine]?.name ?? ''}</b>`;
    const about = track.kind === 'original' ? 'Before these takes' : `seed ${track.seed}${track.words ? `, ${text(track.words)}` : ''}`;
    let right;
    if (track.kind === 'original') right = '<p class="soft">Outside the span every take is the original, sample for sample.</p>';
    else if (track.state === 'ready') {
      const seams = track.seams.map((seam) => `<p class="say" title="${text(numbers(seam))}">${seamIcon(seam.words)}<span>${text(seam.words)} at ${formatShort(seam.time)}</span></p>`).join('');
      right = `${seams || '<p class="soft">A clip of its own.</p>'}<div class="actions">
        <button data-act="keep" data-id="${track.id}" class="${heard && !track.kept ? 'primary' : ''}" ${track.kept ? 'disabled' : ''} title="Put this take on the timeline (K)">${track.kept ? `${icons.check}<span>Kept</span>` : 'Keep'}</button>
        <button data-act="seed" data-id="${track.id}" title="Run it again with another seed (E)">${icons.dice}<span>Another seed</span></button></div>`;
    } else if (track.state === 'failed' || track.state === 'cancelled') {
      right = `<p class="say ${track.state}">${icons.warn}<span>${text(track.note)}</span></p><div class="actions"><button data-act="retry" data-id="${track.id}">Try again</button></div>`;
    } else {
      right = `<div class="progress" style="--e:var(--${ENGINES[track.engine].token})"><i></i></div><p class="say note"><span></span></p><div class="actions"><button data-act="cancel" data-id="${track.id}">${icons.close}<span>Cancel</span></button></div>`;
    }
    return `<article class="row ${track.kind} ${heard ? 'heard' : ''}" aria-label="${text(this.#label(track))}">
      <div class="left"><button class="digit" data-act="select" data-id="${track.id}" aria-pressed="${desk.track?.id === track.id}" aria-label="Hear take ${track.digit}" ${track.state === 'ready' ? '' : 'disabled'}>${track.digit ?? '·'}</button>
        <div><p class="name">${name}</p><p class="soft num">${about}</p><p class="now soft">${playing ? `${icons.play}<span>Playing</span>` : track.kept ? `${icons.check}<span>Kept</span>` : ''}</p></div></div>
      <div class="middle"><canvas data-wave="${track.id}"></canvas>${(track.seams ?? []).map((seam, i) => `<span class="mark ${/^smooth/i.test(seam.words) ? 'good' : 'bad'}" data-seam="${i}" title="${text(`${seam.words} at ${formatShort(seam.time)}`)}">${seamIcon(seam.words)}</span>`).join('')}</div>
      <div class="right">${right}</div></article>`;
  }

  #placeMarks(host, track, view) {
    for (const mark of host.querySelectorAll('.mark')) {
      mark.style.left = `${timeToX(view, track.seams[Number(mark.dataset.seam)].time)}px`;
    }
  }

  #switch(track) {
    const pressed = desk.track?.id === track.id;
    const token = track.kind === 'original' ? 'text' : ENGINES[track.engine]?.token;
    return `<button data-act="select" data-id="${track.id}" aria-pressed="${pressed}" style="--e:var(--${token})" class="${track.kind}" ${track.state === 'ready' ? '' : 'disabled'}>
      <b>${track.digit}</b> <span>${track.kind === 'original' ? 'Original' : ENGINES[track.engine]?.tag}</span></button>`;
  }

  #playhead() {
    if (desk.view !== 'listen' || !desk.group) return;
    const position = desk.player.position;
    const view = this.#listenView();
    const x = timeToX(view, position);
    const line = this.find('.line');
    const middle = this.find('.scale .middle');
    line.hidden = x < 0 || x > middle.clientWidth;
    line.style.transform = `translateX(${middle.offsetLeft + x}px)`;
    this.find('.listen .time').textContent = formatClock(position);
    this.find('.listen .bar').textContent = `bar ${barWords(desk.doc.grid, position)}`;
  }

  // ---- gestures

  #seek(event) {
    const middle = event.target.closest('.middle');
    if (!middle) return;
    const id = middle.querySelector('canvas').dataset.wave;
    const at = (now) => {
      const view = this.#listenView();
      const box = middle.getBoundingClientRect();
      return clamp(xToTime(view, now.clientX - box.left), view.start, view.end);
    };
    this.find('.listen').focus({ preventScroll: true });
    drag(event, this.find('.tracks'), {
      click: (now) => {
        desk.hear(desk.group.tracks.find((track) => track.id === id));
        desk.player.seek(at(now));
      },
      move: (now) => desk.player.playing || desk.player.seek(at(now)),
    });
  }

  #click(event) {
    const button = event.target.closest('button');
    if (!button) return;
    const track = desk.group?.tracks.find(({ id }) => id === button.dataset.id);
    const acts = {
      hear: () => this.#hear(track),
      select: () => desk.hear(track),
      keep: () => desk.keep(track),
      seed: () => desk.anotherSeed(track),
      retry: () => desk.send('run', { retry: track.id }),
      cancel: () => desk.send('cancel', {}),
    };
    if (button.dataset.act) acts[button.dataset.act]();
    else if (button.dataset.group) desk.showGroup(Number(button.dataset.group));
    else if (button.matches('.compare')) desk.setView('listen');
    else if (button.matches('.play')) desk.togglePlay();
    else if (button.matches('.loop')) desk.toggleLoop();
  }

  /** A card's play button: hears the take from a second before its span; pauses when it is the one that plays. */
  #hear(track) {
    if (desk.player.playing && desk.track?.id === track.id) return desk.player.pause();
    desk.hear(track);
    if (desk.player.playing) return undefined;
    return desk.player.play(Math.max(0, (track.region?.start ?? 0) - AROUND));
  }

  /** Says one thing to screen readers. */
  announce(words) {
    this.find('.live').textContent = words;
  }
}

customElements.define('inlay-takes', Takes);
