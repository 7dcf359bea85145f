/** Recorded blocks as one WAV of 32-bit floats: sample for sample what the browser gave. Pure functions. */

/** Blocks {at: frame, channels} -> channels from frame `from` to `to`; what is missing between them is silence. */
export function joined(blocks, from, to) {
  const count = Math.max(1, ...blocks.map(({ channels }) => channels.length));
  const length = Math.max(0, to - from);
  return Array.from({ length: count }, (_, index) => {
    const whole = new Float32Array(length);
    for (const { at, channels } of blocks) {
      const samples = channels[Math.min(index, channels.length - 1)];
      const first = Math.max(0, from - at);
      const last = Math.min(samples.length, to - at);
      if (last > first) whole.set(samples.subarray(first, last), at + first - from);
    }
    return whole;
  });
}

/** Channels of equal length at `rate` Hz -> the bytes of a WAV file. */
export function wavOf(channels, rate) {
  const [count, frames] = [channels.length, channels[0].length];
  const size = frames * count * 4;
  const bytes = new ArrayBuffer(44 + size);
  const view = new DataView(bytes);
  const word = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, 'RIFF');
  view.setUint32(4, 36 + size, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 3, true); // IEEE float
  view.setUint16(22, count, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * count * 4, true);
  view.setUint16(32, count * 4, true);
  view.setUint16(34, 32, true);
  word(36, 'data');
  view.setUint32(40, size, true);
  for (let frame = 0, at = 44; frame < frames; frame++) for (const channel of channels) {
    view.setFloat32(at, channel[frame], true);
    at += 4;
  }
  return bytes;
}
