/** What stands in <inlay-timeline>: tools, the board of lanes, the transport. */

import { icons } from '../parts/icons.js';
import { attributes, html } from '../parts/markup.js';
import { styles } from '../parts/styled.js';
import { SNAPS } from '../music/time.js';
import { TRANSPORT } from './transport.js';

const STYLE = new URL('./timeline.css', import.meta.url).href;
const TOOLS = [['select', 'Select', 'V'], ['draw', 'Draw chords, notes and hits', 'D'], ['split', 'Split chords and notes', 'S'], ['erase', 'Erase', 'X']];
const VIEW = [['zoom-out', 'minus', 'Zoom out', '−'], ['zoom-in', 'plus', 'Zoom in', '+'], ['fit', 'fit', 'Fit the clip', '⇧0'], ['follow', 'follow', 'Follow the playhead', 'F'], ['help', 'help', 'Keys', '?']];
const icon = (attribute, value, name, words, key) =>
  html`<button class="ic" ${attributes({ [attribute]: value })} title="${words} (${key})" aria-label="${words}">${icons[name]}</button>`;

export const TEMPLATE = html`
${styles(STYLE)}
<div class="tools" role="toolbar" aria-label="Timeline tools">
  <div class="left">
    ${TOOLS.map(([tool, words, key]) => icon('data-tool', tool, tool, words, key))}
    <span class="rule"></span>
    <label class="snap" title="What edges snap to; hold Alt while dragging for none">${icons.snap}<span>Snap:</span>
      <select aria-label="Snap">${SNAPS.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}</select>
    </label>
  </div>
  <div class="summary"></div>
  <div class="right">${VIEW.map(([action, name, words, key]) => icon('data-action', action, name, words, key))}</div>
</div>
<div class="board" role="group" aria-label="Timeline" tabindex="0" data-tab="melody">
  <div class="head minimap-head"></div>
  <div class="minimap"></div>
  <div class="head sections-head"></div>
  <div class="sections"></div>
  <div class="head ruler-head"><button class="text-button" data-menu="grid" title="Signature, key, where beat 1 lies (B), tempo (T)" aria-haspopup="dialog">Bar<span>, seconds</span></button></div>
  <div class="ruler"><canvas></canvas></div>
  <div class="head audio-head"></div>
  <div class="audio"></div>
  <div class="head band-head"></div>
  <div class="band"></div>
  <div class="head chords-head"></div>
  <div class="chords"></div>
  <div class="tabs" role="tablist" aria-label="Lane">
    <button role="tab" data-tab="melody" aria-selected="true">Melody</button><button role="tab" data-tab="drums" aria-selected="false">Drums</button></div>
  <div class="tab-menus">${['melody', 'drums'].map((lane) => html`<button class="ic" data-of="${lane}" title="${lane === 'melody' ? 'Transpose, quantise, MIDI' : 'Patterns, swing, tapping, MIDI'}" aria-label="${lane === 'melody' ? 'Melody' : 'Drum'} lane menu" aria-haspopup="dialog">${icons.more}</button>`)}</div>
  <div class="head melody-head"></div>
  <div class="melody"></div>
  <div class="head drums-head"></div>
  <div class="drums"></div>
  <div class="over"><div class="spans"></div><div class="head-line"><i></i></div></div>
</div>
${TRANSPORT}
`;
