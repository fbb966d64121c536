// (c) The same work in plain JavaScript: hash-wasm for both digests, each byte read once, the same number of parts in
// flight. It reads one part ahead of hashing, hashes ahead of sending, and sends the very bytes that it hashed (`body` is
// "buffer") or the slice of the file, which the browser reads once more ("blob").

import { openSession } from "./api.js";
import { begin, fileDigest, hash } from "./digests.js";

export { prepare } from "./digests.js";

/** Parts that are hashed and wait to be sent, at most. */
const AHEAD = 2;

export async function upload(file, options) {
  const session = await openSession(file, options);
  const memory = new Semaphore(options.inFlight + AHEAD);
  const wire = new Semaphore(options.inFlight);

  const slice = (part) => file.slice(part * session.partSize, (part + 1) * session.partSize);
  const send = async (part, body, digest) => {
    await wire.acquire();
    await session.put(part, body, digest);
    wire.release();
    memory.release();
  };

  begin();
  const failed = Promise.withResolvers();
  const sending = [];
  let reading = slice(0).arrayBuffer();
  for (let part = 0; part < session.parts; part++) {
    await Promise.race([memory.acquire(), failed.promise]);
    const bytes = new Uint8Array(await reading);
    if (part + 1 < session.parts) reading = slice(part + 1).arrayBuffer();
    const digest = hash(bytes);
    const sent = send(part, options.body === "blob" ? slice(part) : bytes, digest);
    sent.catch(failed.reject);
    sending.push(sent);
  }
  await Promise.all(sending);
  await session.finish(fileDigest());
}

class Semaphore {
  #waiting = [];

  constructor(places) {
    this.free = places;
  }

  async acquire() {
    if (this.free > 0) this.free--;
    else await new Promise((resolve) => this.#waiting.push(resolve));
  }

  release() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.free++;
  }
}
