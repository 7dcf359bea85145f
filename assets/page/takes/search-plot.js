/** What the zero-shot search did for a take, drawn: the misfit of every beginning while it was sampled. */

import { html } from '../parts/markup.js';

const WIDTH = 480;
const HEIGHT = 96;

/** Points of a curve [[time 0..1, misfit], ...] in a box of WIDTH x HEIGHT; the root lets small misfits be seen. */
export function points(curve, most) {
  const y = (misfit) => HEIGHT * (1 - Math.sqrt(Math.max(0, misfit) / most));
  return curve.map(([time, misfit]) => [WIDTH * time, y(misfit)]);
}

/** What became of a beginning, in words. */
export const fate = ({ dropped, chosen }) =>
  (chosen ? 'taken' : dropped === null ? 'arrived' : `given up at ${Math.round(100 * dropped)} %`);

export function searchPlot({ budget, spent, candidates }) {
  const most = Math.max(1e-9, ...candidates.flatMap(({ curve }) => curve.map(([, misfit]) => misfit)));
  const line = (candidate) => {
    const at = points(candidate.curve, most);
    const [x, y] = at.at(-1);
    const end = candidate.dropped === null ? html`<circle cx="${x}" cy="${y}" r="3"/>` : html`<path d="M${x - 3} ${y - 3}l6 6m0 -6l-6 6"/>`;
    return html`<g class="${candidate.chosen ? 'chosen' : ''}"><title>${candidate.start}: ${fate(candidate)}</title>
      <polyline points="${at.map((p) => p.map((v) => v.toFixed(1)).join(',')).join(' ')}"/>${end}</g>`;
  };
  const ordered = [...candidates].filter(({ curve }) => curve.length).sort((a, b) => a.chosen - b.chosen); // the chosen one on top
  const words = candidates.map((candidate) => `${candidate.start}: ${fate(candidate)}`).join('; ');
  return html`<figure class="search-plot">
    <figcaption><b>The search</b><span>${spent} of at most ${budget} evaluations, ${candidates.length} beginnings</span></figcaption>
    <svg viewBox="-6 -6 ${WIDTH + 12} ${HEIGHT + 12}" role="img" aria-label="Misfit at the edges while sampling. ${words}">${ordered.map(line)}</svg>
    <p><span>Noise</span><span>How badly the edges fit while sampling; lower is better, a cross was given up</span><span>Music</span></p>
  </figure>`;
}
