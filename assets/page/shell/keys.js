/**
 * The keyboard in one table: which stroke means which action, and the sheet that lists them.
 * Knows no DOM beyond a KeyboardEvent's fields; Ctrl and Command are one modifier.
 */

/** [stroke, action, what the sheet says, group]; an action may have several strokes. */
export const KEYS = [
  ['Space', 'play', 'Play or pause', 'Listen'],
  ['Home', 'rewind', 'Back to the start', 'Listen'],
  ['0–9', 'track', 'Switch take, without a break', 'Listen'],
  ['L', 'loop', 'Loop the span', 'Listen'],
  ['C', 'compare', 'Edit or Listen view', 'Takes'],
  ['K', 'keep', 'Keep the take you hear', 'Takes'],
  ['*', 'star', 'Star it', 'Takes'],
  ['⇧O', 'sort', 'Smoothest, or closest to the wish, first', 'Takes'],
  ['O', 'solo', 'Hear its span alone', 'Takes'],
  ['R', 'again', 'Again, same settings', 'Takes'],
  ['E', 'seed', 'Another seed', 'Takes'],
  ['M', 'match', 'Level match', 'Takes'],
  ['Y', 'difference', 'Difference view', 'Takes'],
  ['Delete', 'discard', 'Delete the take (in Listen)', 'Takes'],
  ['⇧R', 'record', 'Record: begin, stop', 'Listen'],
  ['F', 'follow', 'Follow the playhead', 'Listen'],
  ['P', 'preview', 'Hear the lanes', 'Listen'],
  ['⇧P', 'click', 'Hear a click', 'Listen'],
  ['← →', 'nudge-left', 'Move what is chosen, else the span', 'Span'],
  ['⇧← ⇧→', 'shrink', 'Move only its end', 'Span'],
  ['N', 'next', 'Next span (or bar as span)', 'Span'],
  ['⇧N', 'previous', 'Previous span (or bar as span)', 'Span'],
  ['A', 'add-span', 'One more span', 'Span'],
  ['Esc', 'escape', 'Close, then clear the span', 'Span'],
  ['V', 'tool-select', 'Select', 'Lanes'],
  ['D', 'tool-draw', 'Draw', 'Lanes'],
  ['S', 'tool-split', 'Split', 'Lanes'],
  ['X', 'tool-erase', 'Erase', 'Lanes'],
  ['W', 'band', 'Unfold or fold the band lane', 'Lanes'],
  [', .', 'step-back', 'Choose the one before, the next', 'Lanes'],
  ['I', 'insert', 'Put one at the playhead', 'Lanes'],
  ['↑ ↓', 'up', 'Semitone up, down (drum, player above, below)', 'Lanes'],
  ['⇧↑ ⇧↓', 'octave-up', 'Octave up, down', 'Lanes'],
  ['PgUp PgDn', 'scroll-up', 'Scroll the pitches', 'Lanes'],
  ['⇧S', 'split', 'Split at the playhead', 'Lanes'],
  ['J', 'merge', 'Merge chords', 'Lanes'],
  ['Q', 'quantise', 'Quantise', 'Lanes'],
  ['↵', 'palette', 'Palette of a chord; player: asked, none, open', 'Lanes'],
  ['Delete', 'delete', 'Delete what is chosen', 'Lanes'],
  ['Ctrl C', 'copy', 'Copy', 'Lanes'],
  ['Ctrl V', 'paste', 'Paste at the playhead', 'Lanes'],
  ['Ctrl D', 'repeat', 'Repeat right behind', 'Lanes'],
  ['Ctrl A', 'choose-all', 'Choose all of the lane', 'Lanes'],
  ['T', 'tap', 'Tap the tempo', 'Time'],
  ['B', 'beat-one', 'Beat 1 at the playhead', 'Time'],
  ['⇧T', 'tap-drums', 'Tap drums in: A S D F G', 'Time'],
  ['+', 'zoom-in', 'Zoom in', 'View'],
  ['−', 'zoom-out', 'Zoom out', 'View'],
  ['⇧0', 'fit', 'Fit the clip', 'View'],
  ['H', 'about', 'About, and a short guide', 'View'],
  ['⇧M', 'models', 'Models: which are at work, get others', 'View'],
  ['?', 'help', 'This sheet', 'View'],
  ['Ctrl ↵', 'inpaint', 'Inpaint', 'Run'],
  ['⇧A', 'inpaint-all', 'Inpaint all spans in one pass', 'Run'],
  ['⇧F', 'fix', 'Fix it: the smoothest of all engines', 'Run'],
  ['U', 'intent', 'Blend in, or change', 'Run'],
  ['Ctrl ⇧↵', 'generate', 'Generate', 'Run'],
  ['Ctrl Alt ↵', 'continue', 'Continue after the end', 'Run'],
  ['Ctrl Alt ⇧↵', 'intro', 'Lead into the beginning', 'Run'],
  ['⇧L', 'make-loop', 'Make the clip a loop', 'Run'],
  ['Ctrl .', 'cancel', 'Cancel the run', 'Run'],
  ['Ctrl Z', 'undo', 'Undo', 'Run'],
  ['Ctrl ⇧Z', 'redo', 'Redo', 'Run'],
  ['Ctrl S', 'save-as', 'Save as', 'Run'],
  ['Ctrl E', 'export', 'Export', 'Run'],
];

const PLAIN = {
  ' ': 'play', home: 'rewind', l: 'loop', c: 'compare', k: 'keep', e: 'seed', n: 'next', escape: 'escape',
  arrowleft: 'nudge-left', arrowright: 'nudge-right', arrowup: 'up', arrowdown: 'down', pageup: 'scroll-up', pagedown: 'scroll-down',
  v: 'tool-select', d: 'tool-draw', s: 'tool-split', x: 'tool-erase', ',': 'step-back', '.': 'step-on', i: 'insert', w: 'band', j: 'merge', q: 'quantise',
  r: 'again', m: 'match', y: 'difference', o: 'solo', '*': 'star',
  a: 'add-span', h: 'about', f: 'follow', p: 'preview', u: 'intent', t: 'tap', b: 'beat-one',
  enter: 'palette', delete: 'delete', backspace: 'delete', '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', '?': 'help',
};
const SHIFTED = {
  arrowleft: 'shrink', arrowright: 'grow', arrowup: 'octave-up', arrowdown: 'octave-down', n: 'previous', s: 'split', t: 'tap-drums', p: 'click', a: 'inpaint-all', f: 'fix', l: 'make-loop', o: 'sort', r: 'record', m: 'models', '*': 'star', '+': 'zoom-in', '?': 'help', '_': 'zoom-out',
};
const COMMAND = { enter: 'inpaint', z: 'undo', y: 'redo', '.': 'cancel', c: 'copy', v: 'paste', d: 'repeat', a: 'choose-all', s: 'save-as', e: 'export' };
const COMMAND_SHIFTED = { enter: 'generate', z: 'redo' };
const COMMAND_ALT = { enter: 'continue' };
const COMMAND_ALT_SHIFTED = { enter: 'intro' };

/** {action, digit} for a key event, null for one that is not ours. */
export function actionOf({ key, code = '', ctrlKey, metaKey, shiftKey, altKey }) {
  const name = key.toLowerCase();
  const command = ctrlKey || metaKey;
  if (altKey && !command) return null;
  const digit = command ? null : digitOf(name, code, shiftKey);
  if (digit) return digit;
  const action = tableOf(command, altKey, shiftKey)[name];
  return action ? { action } : null;
}

/** What a digit means without a command key: it hears a take; with Shift, 0 fits the clip. */
function digitOf(name, code, shift) {
  if (shift) return code === 'Digit0' || name === ')' ? { action: 'fit' } : null;
  return /^[0-9]$/.test(name) ? { action: 'track', digit: Number(name) } : null;
}

/** The actions by key while some modifiers are held. */
function tableOf(command, alt, shift) {
  if (!command) return shift ? SHIFTED : PLAIN;
  if (alt) return shift ? COMMAND_ALT_SHIFTED : COMMAND_ALT;
  return shift ? COMMAND_SHIFTED : COMMAND;
}

/** Whether an action works while the focus is in a field: only those with a command key, and Esc. */
export const worksInFields = (action) => ['inpaint', 'generate', 'continue', 'intro', 'cancel', 'save-as', 'export'].includes(action);
