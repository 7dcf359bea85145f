/** A file on its way in words. Pure functions. */

/** {name, step} of a file that comes, {error} of one that was refused, null for none. */
export function arrivalWords(arriving) {
  if (!arriving) return '';
  if (arriving.error) return arriving.error;
  return arriving.step === 'uploading' ? `${arriving.name} is being uploaded …` : `${arriving.name} is being read …`;
}
