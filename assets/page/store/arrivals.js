/** A file on its way in words, and how long it will take, as far as earlier ones tell. Pure functions. */

/** {name, step, instead} of a file that comes, in place of another one; {error} of one that was refused, null for none. */
export function arrivalWords(arriving) {
  if (!arriving) return '';
  if (arriving.error) return arriving.error;
  const { name, step, instead } = arriving;
  return `${name} is being ${step === 'uploading' ? 'uploaded' : 'read'}${insteadWords(instead)} …`;
}

/** " instead of long.wav", "" where nothing was given up for it. */
export const insteadWords = (instead) => (instead ? ` instead of ${instead}` : '');

/** "33 MB", "" where nobody knows. */
export function sizeWords(bytes) {
  if (!bytes) return '';
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
}

/** Why a file is not even sent, "" where it may be; `most`: bytes that the server takes, where it says so. */
export function tooLarge({ name, size }, most) {
  if (!most || size <= most) return '';
  return `${name}: ${sizeWords(size)}, and at most ${sizeWords(most)} come at once; cut it, or save it in a smaller format.`;
}

/** The steps of a file that comes: [{words, state: "done" | "now" | "next", more}]. */
export function arrivalSteps({ step, size, took }) {
  const reading = step === 'reading';
  const uploaded = [sizeWords(size), took >= 1 ? `in ${Math.round(took)} s` : ''].filter(Boolean).join(' ');
  return [
    { words: reading ? 'Uploaded' : 'Uploading', state: reading ? 'done' : 'now', more: reading ? uploaded : '' },
    { words: 'Reading', state: reading ? 'now' : 'next', more: '' },
    { words: 'Listening', state: 'next', more: '' },
  ];
}

/**
 * How far a file is on its way, {share: 0..1, left: seconds}; null where nobody knows. `paces`: seconds a byte of each
 * step, as earlier files took; `since`: seconds since the step began.
 */
export function arrivalProgress({ step, size }, paces, since) {
  const [up, read] = ['uploading', 'reading'].map((name) => (paces[name] ?? NaN) * size);
  if (!(up + read > 0)) return null;
  const left = step === 'uploading' ? Math.max(0, up - since) + read : Math.max(0, read - since);
  return { share: Math.min(0.98, 1 - left / (up + read)), left };
}

/** "about 20 s left"; "" for less than two seconds, or where nobody knows. */
export function leftWords(progress) {
  if (!progress || progress.left < 2) return '';
  const step = progress.left > 10 ? 5 : 1;
  return `about ${Math.ceil(progress.left / step) * step} s left`;
}

/** The paces with what a step of one more file took: half of it is new. */
export function learned(paces, step, bytes, seconds) {
  if (!(bytes > 0 && seconds > 0)) return paces;
  const pace = seconds / bytes;
  return { ...paces, [step]: paces[step] ? (paces[step] + pace) / 2 : pace };
}
