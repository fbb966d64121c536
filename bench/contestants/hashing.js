// No upload: what SHA-1 takes here by the module, by hash-wasm and by Web Crypto, by turns, on bytes that lie in memory.

import { createSHA1 } from "hash-wasm";

const PART = 8 * 1024 * 1024;
/** The first are to let the browser optimise what it runs. */
const WARM_UPS = 4;
const TURNS = 16;

const ways = {};
const speeds = {};

export async function prepare() {
  const module = await import("/pkg/index.js");
  await module.default();
  const hasher = await createSHA1();
  ways.module = (bytes) => module.sha1Digest(bytes);
  ways.hashWasm = (bytes) => {
    hasher.init();
    // In pieces, like a file.
    for (let at = 0; at < bytes.length; at += 65_536) hasher.update(bytes.subarray(at, at + 65_536));
    hasher.digest();
  };
  ways.webCrypto = (bytes) => crypto.subtle.digest("SHA-1", bytes);
}

export async function upload(file) {
  const bytes = new Uint8Array(await file.slice(0, PART).arrayBuffer());
  for (const way in ways) speeds[way] = [];
  for (let turn = -WARM_UPS; turn < TURNS; turn++) {
    for (const way in ways) {
      const begin = performance.now();
      await ways[way](bytes);
      if (turn >= 0) speeds[way].push(bytes.length / ((performance.now() - begin) / 1000));
    }
  }
}

/** Bytes a second of every turn. */
export const facts = () => ({ speeds });
