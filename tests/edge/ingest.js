// Runs one ingest in whatever runtime this is, and tells as JSON what came of it: nothing here is of Node.

import { content } from "./content.js";

/**
 * Uploads a stream as `options` say. `source` is one, or describes one: `url` (what is there), or `size` (bytes), `chunk` (bytes of each, 65_536), `bytes` (a byte stream), `empties`
 * (an empty chunk before every other), `fails` (at so many bytes), `gives` (something else, at so many bytes), `slow` (ms before
 * each chunk), `held` (address of the emulator's statistics: before every chunk it is asked how much it holds).
 * `without` names a field that is left out. Of `abort`: `at` (so many bytes), `before` (anything), or `beside` (while the source gives nothing).
 */
export async function run(ingest, { source, options, abort, without }) {
  const told = { pulled: 0, cancelled: null, ahead: 0, progress: [] };
  const controller = new AbortController();
  const reason = new Error("enough");
  if (abort?.before) controller.abort(reason);
  const stream = await open(source, told, { ...abort, controller, reason });
  const onProgress = (progress) => told.progress.push(progress);
  const given = { name: "a.bin", parentFolderId: "root", apiKey: "key", appId: "app", onProgress, ...options };
  delete given[without];
  if (abort) given.signal = controller.signal;
  try {
    told.file = await ingest(stream, given);
  } catch (error) {
    told.error = { ...plain(error), isUploadError: error.name === "UploadError" && error instanceof Error };
    if (error.cause !== undefined) told.error.cause = plain(error.cause);
    told.isReason = error.cause === reason;
  }
  told.locked = stream?.locked;
  return told;
}

async function open(source, told, abort) {
  if (source?.url) return (await fetch(source.url)).body;
  return source instanceof Object && !(source instanceof ReadableStream) ? makeStream(source, told, abort) : source;
}

const plain = (error) => ({ ...error, name: error?.name, message: String(error?.message) });

function makeStream({ size, chunk = 65_536, bytes, empties, fails, gives, slow, held, partSize }, told, { at, beside, controller, reason }) {
  let turn = 0;
  const pull = async (stream) => {
    if (told.pulled >= at) controller.abort(reason);
    if (beside) return new Promise(() => queueMicrotask(() => controller.abort(reason)));
    if (told.pulled >= fails) throw new RangeError("the source broke");
    if (told.pulled >= gives) return stream.enqueue("a text");
    if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
    if (held) {
      const { parts_accepted: accepted } = await (await fetch(held)).json();
      told.ahead = Math.max(told.ahead, told.pulled - accepted * partSize);
    }
    if (told.pulled >= size) {
      stream.close();
      // Who asked for bytes into memory of its own gets it back.
      stream.byobRequest?.respond(0);
      return;
    }
    if (empties && turn++ % 2 === 0) return stream.enqueue(new Uint8Array(0));
    const part = content(told.pulled, Math.min(told.pulled + chunk, size));
    told.pulled += part.length;
    stream.enqueue(part);
  };
  const cancel = (why) => {
    told.cancelled = plain(why);
  };
  return new ReadableStream({ pull, cancel, ...(bytes && { type: "bytes" }) }, { highWaterMark: 0 });
}
