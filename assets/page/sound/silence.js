/** A WAV of silence, which stands in where there is no clip yet: lanes can be heard and the playhead moves. */

/** 8-bit mono at 8 kHz, the least that every browser decodes. */
export function silence(seconds) {
  const length = Math.max(1, Math.round(seconds * 8000));
  const head = new DataView(new ArrayBuffer(44));
  /** @type {[number, string][]} */
  const words = [[0, 'RIFF'], [8, 'WAVE'], [12, 'fmt '], [36, 'data']];
  for (const [at, word] of words) [...word].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  const longs = [[4, 36 + length], [16, 16], [24, 8000], [28, 8000], [40, length]];
  for (const [at, value] of longs) head.setUint32(at, value, true);
  const shorts = [[20, 1], [22, 1], [32, 1], [34, 8]];
  for (const [at, value] of shorts) head.setUint16(at, value, true);
  return new Blob([head, new Uint8Array(length).fill(128)], { type: 'audio/wav' });
}
