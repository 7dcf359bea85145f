/**
 * The hub's access token: a field for it and where it goes, whether one is there, and removing it. What was typed is
 * sent once and leaves the page with that; the server never sends it back.
 */

import { html } from '../parts/markup.js';
import { act } from './getting.js';

const host = (link) => link.replace(/^https?:\/\//, '');

/** The field, and where it goes: a place, or nowhere for longer than Inlay runs. */
export const tokenMarkup = ({ hub, place }) => html`<form class="token"><div class="line"><input type="password" name="token" aria-label="Access token" placeholder="Access token, begins with hf_" maxlength="400" autocomplete="off" autocapitalize="off" spellcheck="false"><button>Log in</button></div>
  <label><input type="checkbox" name="keep" checked><span>Keep it on this machine, in ${place}</span></label>
  <p class="soft">Sent to ${host(hub)} and to nobody else. If it is not kept, it is forgotten when Inlay stops. Make one that may only read on ${host(hub)}/settings/tokens</p><p class="err wrong" role="alert"></p></form>`;

const WHERE = { process: 'until Inlay is stopped', environment: 'by HF_TOKEN' };

/** Whether the hub knows who asks, and what can be done about it. */
export function loginMarkup(login) {
  if (!login) return html``;
  if (!login.where) return html`<button class="quiet" data-act="login" aria-expanded="false">Log in to the hub</button>`;
  const where = WHERE[login.where] ?? `token in ${login.place}`;
  const removal = login.where === 'environment' ? '' : html`<button class="quiet" data-act="logout">Remove token</button>`;
  return html`<span class="soft">Logged in to the hub, ${where}</span>${removal}`;
}

/** Sends what stands in the form; gives what is wrong with it, "" where nothing is. */
export async function logIn(form) {
  const field = form.querySelector('[name=token]');
  const token = field.value.trim();
  field.value = '';
  if (!token) return 'Paste a token first';
  const button = form.querySelector('button');
  button.disabled = true;
  const wrong = await act({ act: 'log in', token, keep: form.querySelector('[name=keep]').checked });
  button.disabled = false;
  return wrong;
}
