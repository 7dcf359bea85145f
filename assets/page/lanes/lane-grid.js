/**
 * What a screen reader meets on a lane that is a canvas: a grid with one row per pitch or drum, in which the
 * chosen object is the current cell. Only that cell is in the page, so a thousand notes cost nothing.
 */

import { add, html } from '../parts/markup.js';

/** facts: {label, rows, columns, row, column, words, chosen}; row and column from 1, 0 = nothing chosen. */
export function announceItem(host, { label, rows, columns, row, column, words, chosen }) {
  let grid = host.querySelector('.grid-row');
  if (!grid) {
    add(host, html`<div class="grid-row" role="row"><div role="gridcell"></div></div>`);
    grid = host.querySelector('.grid-row');
    grid.firstChild.id = `cell-${host.classList[0]}`;
    host.setAttribute('role', 'grid');
    host.setAttribute('tabindex', '0');
    host.setAttribute('aria-multiselectable', 'true');
  }
  const cell = grid.firstChild;
  const sentence = chosen > 1 ? `${chosen} chosen, first ${words}` : words || 'Nothing chosen';
  const values = [
    [host, 'aria-label', label], [host, 'aria-rowcount', rows], [host, 'aria-colcount', Math.max(1, columns)],
    [host, 'aria-activedescendant', cell.id], [grid, 'aria-rowindex', Math.max(1, row)], [cell, 'aria-colindex', Math.max(1, column)],
    [cell, 'aria-selected', chosen > 0],
  ];
  for (const [node, name, value] of values) if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
  if (cell.textContent !== sentence) cell.textContent = sentence;
}
