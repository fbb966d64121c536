// Content of any length that is the same wherever it is made: in the runtime under test, and in the test that checks it.

const BLOCK = 1_048_576;
const PAGE = 4096;

let noise;

/** Returns bytes `start` to `end` of the content, of one block at most. */
export function content(start, end) {
  noise ??= makeNoise();
  const bytes = noise.slice(start % BLOCK, Math.min((start % BLOCK) + end - start, BLOCK));
  // No two blocks are the same, so that parts in another order are another file.
  const block = Math.floor(start / BLOCK);
  const first = (PAGE - (start % PAGE)) % PAGE;
  for (let index = first; index < bytes.length; index += PAGE) bytes[index] ^= block + (block >> 8);
  return bytes;
}

/** Feeds `size` bytes to a hash of node:crypto. */
export function hash(hasher, size) {
  for (let at = 0; at < size; ) {
    const bytes = content(at, size);
    hasher.update(bytes);
    at += bytes.length;
  }
  return hasher.digest("hex");
}

/** xorshift32 (Marsaglia). */
function makeNoise() {
  const words = new Uint32Array(BLOCK / 4);
  let state = 0x9e3779b9;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}
