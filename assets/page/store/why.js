/** Why a button is off, in words for its tooltip. Pure functions. */

/** Why Inpaint and Fix it are off; "" where they are not, as far as the page knows. */
export function whyNoInpaint({ clip, region }, run) {
  if (run) return 'Off while a run goes on: wait for it, or cancel it first';
  if (!clip) return 'Off without a clip: open a recording or an example, or generate one first';
  if (!region) return 'Off without a span: drag over the audio to choose what should change';
  return '';
}

/** Why what needs a clip alone is off: Continue, Intro, Loop, Export. */
export function whyNoClip({ clip }, run) {
  if (run) return 'Off while a run goes on: wait for it, or cancel it first';
  return clip ? '' : 'Off without a clip: open a recording or an example, or generate one first';
}
