/** Keeps an element out of sight until its stylesheet is there: raw controls never flash on the page. */

import { html } from './markup.js';

export const styles = (address) =>
  html`<style>:host(:not([styled])) { visibility: hidden }</style><link rel="stylesheet" href="${address}">`;

/** Call once the markup with `styles` stands in the element's shadow root. A missing stylesheet shows it too. */
export function showWhenStyled(element) {
  const link = element.shadowRoot.querySelector('link[rel="stylesheet"]');
  for (const event of ['load', 'error']) link.addEventListener(event, () => element.setAttribute('styled', ''), { once: true });
}
