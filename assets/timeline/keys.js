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
  ['C', 'compare', 'Edit or Listen view', 'Listen'],
  ['K', 'keep', 'Keep the take you hear', 'Listen'],
  ['E', 'seed', 'Another seed of the take you hear', 'Listen'],
  ['←', 'nudge-left', 'Move the span or chord earlier', 'Span'],
  ['→', 'nudge-right', 'Move the span or chord later', 'Span'],
  ['⇧←', 'shrink', 'Move its end earlier', 'Span'],
  ['⇧→', 'grow', 'Move its end later', 'Span'],
  ['N', 'next', 'Next bar as span', 'Span'],
  ['⇧N', 'previous', 'Previous bar as span', 'Span'],
  ['Esc', 'escape', 'Close, then clear the span', 'Span'],
  ['V', 'tool-select', 'Select', 'Chords'],
  ['D', 'tool-draw', 'Draw chords', 'Chords'],
  ['X', 'tool-erase', 'Erase chords', 'Chords'],
  ['↵', 'palette', 'Palette of the chosen chord', 'Chords'],
  ['Delete', 'delete', 'Delete the chosen chord', 'Chords'],
  ['+', 'zoom-in', 'Zoom in', 'View'],
  ['−', 'zoom-out', 'Zoom out', 'View'],
  ['⇧0', 'fit', 'Fit the clip', 'View'],
  ['?', 'help', 'This sheet', 'View'],
  ['Ctrl ↵', 'inpaint', 'Inpaint', 'Run'],
  ['Ctrl ⇧↵', 'generate', 'Generate', 'Run'],
  ['Ctrl .', 'cancel', 'Cancel the run', 'Run'],
  ['Ctrl Z', 'undo', 'Undo', 'Run'],
  ['Ctrl ⇧Z', 'redo', 'Redo', 'Run'],
];

const PLAIN = {
  ' ': 'play', home: 'rewind', l: 'loop', c: 'compare', k: 'keep', e: 'seed', n: 'next', escape: 'escape',
  arrowleft: 'nudge-left', arrowright: 'nudge-right', v: 'tool-select', d: 'tool-draw', x: 'tool-erase',
  enter: 'palette', delete: 'delete', backspace: 'delete', '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', '?': 'help',
};
const SHIFTED = {
  arrowleft: 'shrink', arrowright: 'grow', n: 'previous', '+': 'zoom-in', '?': 'help', '_': 'zoom-out',
};
const COMMAND = { enter: 'inpaint', z: 'undo', y: 'redo', '.': 'cancel' };
const COMMAND_SHIFTED = { enter: 'generate', z: 'redo' };

/** {action, digit} for a key event, null for one that is not ours. */
export function actionOf({ key, code = '', ctrlKey, metaKey, shiftKey, altKey }) {
  const name = key.toLowerCase();
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    const action = (shiftKey ? COMMAND_SHIFTED : COMMAND)[name];
    return action ? { action } : null;
  }
  if (shiftKey && (code === 'Digit0' || name === ')')) return { action: 'fit' };
  if (!shiftKey && /^[0-9]$/.test(name)) return { action: 'track', digit: Number(name) };
  const action = (shiftKey ? SHIFTED : PLAIN)[name];
  return action ? { action } : null;
}

/** Whether an action works while the focus is in a field: only those with a command key, and Esc. */
export const worksInFields = (action) => ['inpaint', 'generate', 'cancel'].includes(action);
