// The digests of parts and of the whole file by hash-wasm, each byte read once: for those that compute them in JavaScript.

import { createSHA1 } from "hash-wasm";

/** What goes through both hashers while it is in the processor's cache. */
const CHUNK = 64 * 1024;

let ofPart;
let ofFile;

export async function prepare() {
  [ofPart, ofFile] = await Promise.all([createSHA1(), createSHA1()]);
}

/** Begins a file. */
export function begin() {
  ofFile.init();
}

/** Puts the bytes of the next part through both hashers; returns the header with the part's digest. */
export function hash(bytes) {
  ofPart.init();
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    ofPart.update(chunk);
    ofFile.update(chunk);
  }
  return header(ofPart);
}

/** Returns the header with the digest of all that was hashed. */
export const fileDigest = () => header(ofFile);

function header(hasher) {
  return `sha=${btoa(String.fromCharCode(...hasher.digest("binary")))}`;
}
