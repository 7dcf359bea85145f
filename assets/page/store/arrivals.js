/** A file on its way in words. Pure functions. */

/** {name, step} of a file that comes, {error} of one that was refused, null for none. */
export function arrivalWords(arriving) {
  if (!arriving) return '';
  if (arriving.error) return arriving.error;
  return arriving.step === 'uploading' ? `${arriving.name} is being uploaded …` : `${arriving.name} is being read …`;
}

/** "33 MB", "" where nobody knows. */
export function sizeWords(bytes) {
  if (!bytes) return '';
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
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
