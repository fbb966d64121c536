// What the platform gives: files, promises, timers, locks, stores. Whatever a page may have broken is caught here.

import { stringify } from "./values.js";

// ---------------------------------------------------------------------------------------------------
// Promises and timers.

// Goes on with what a promise came to; `next(isFulfilled, value)` returns what the new promise is fulfilled with.
export const chain = (promise, next) => promise.then((value) => next(true, value), (error) => next(false, error));

// A promise that is settled from without.
export class Deferred {
  constructor() {
    this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    // Nobody may ever ask for it.
    this.promise.catch(() => {});
  }
}

// setTimeout takes 31 bits (WHATWG HTML, 8.6). Rounded up: a timer that fires early only fires again.
export const timeout = (callback, millis) => setTimeout(callback, Math.min(Math.ceil(millis), 0x7fffffff));

// Calls back once, at the time that was set last.
export class Timer {
  set(callback, millis) {
    this.clear();
    this.id = timeout(callback, millis);
  }

  clear() {
    clearTimeout(this.id);
  }
}

// Calls back at such events until the function that it returns is called.
function listen(target, names, callback) {
  const listener = () => callback();
  try {
    for (const name of names) target.addEventListener(name, listener);
    return () => names.forEach((name) => target.removeEventListener(name, listener));
  } catch {
    // This runtime tells of no such events.
    return () => {};
  }
}

export const onAbort = (signal, callback) => listen(signal, ["abort"], callback);
export const onNetwork = (callback) => listen(globalThis, ["online", "offline"], callback);

// Is fulfilled after so many milliseconds, or once the signal is aborted.
export function sleep(millis, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = timeout(done, millis);
    signal?.addEventListener("abort", done);
  });
}

// Waits for what a function of the page returned, be it a promise or not; rejects where that takes longer.
export async function within(millis, value) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = timeout(() => reject(new TypeError("there was no answer in time")), millis);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Lets the event loop run: scheduler.yield() goes on before other tasks of the page, and without the 4 ms that nested timers
// are held back (WICG Prioritized Task Scheduling); not every browser has it.
export function pause() {
  try {
    return globalThis.scheduler.yield();
  } catch {
    return new Promise((resolve) => setTimeout(resolve));
  }
}

const navigatorField = (name) => {
  try {
    return globalThis.navigator[name];
  } catch {
    // This runtime has no navigator.
  }
};

// Tells whether there may be a network; where the runtime does not know, there is.
export const isOnline = () => navigatorField("onLine") !== false;

// Tells whether this is Chromium, by its client hints (W3C UA-CH); no other engine has them.
export function isChromium() {
  const brands = navigatorField("userAgentData")?.brands;
  return Array.isArray(brands) && brands.some((entry) => entry?.brand === "Chromium");
}

// Tells whether this is Firefox, by its name: it has nothing that others lack.
export const isFirefox = () => String(navigatorField("userAgent")).includes("Firefox/");

// ---------------------------------------------------------------------------------------------------
// Files (W3C File API) and bytes.

// Type of every body that is sent: the connector learns the file's own type from its name.
const OCTET_STREAM = "application/octet-stream";
// Most bytes of a chunk, where the reader can be told.
const CHUNK = 2 ** 20;
// How long a stream of a file may go on with another part after it was opened, in milliseconds.
const LIFETIME = 1000;
// Which digests bytes are fed to; `Pass` in bytes.rs.
const BOTH = 0;
const FILE = 1;
const PART = 2;
// Longest stretch of work without a pause, in milliseconds: a frame. The end of a chunk is no end of a task, as chunks
// that are queued already come as microtasks.
const STRETCH = 12;

export const slice = (blob, start, end) => blob.slice(start, end, OCTET_STREAM);

const isA = (value, type) => typeof globalThis[type] === "function" && value instanceof globalThis[type];

export const isBlob = (value) => isA(value, "Blob");

// What a page may have put in place of a file's own fields is read as any value.
const ownField = (blob, key, type) => (isA(blob, "File") && typeof blob[key] === type ? blob[key] : undefined);

export const isFile = (blob) => isA(blob, "File");
export const fileName = (blob) => ownField(blob, "name", "string");
export const lastModified = (blob) => ownField(blob, "lastModified", "number");

// Takes what a caller hands in as a request's body, as a Blob or a view of the module's own (a subclass may have overridden
// what a view does); undefined where it is neither, is detached, is shared with other threads, or has 4 GiB or more.
export function body(value) {
  try {
    // A slice of nothing is never read, however the file may be by now.
    if (isBlob(value)) return value.size ? slice(value, 0, value.size) : value;
    const isView = value instanceof Uint8Array;
    const buffer = isView ? value.buffer : value;
    if (!(buffer instanceof ArrayBuffer) || value.byteLength >= 2 ** 32 - 1) return;
    return new Uint8Array(buffer, isView ? value.byteOffset : 0, value.byteLength);
  } catch {
    // It is detached.
  }
}

// Reserves memory; undefined where there is not enough of it, or one array cannot have so much.
export function reserve(length) {
  try {
    return new Uint8Array(length);
  } catch {
    // Memory is short.
  }
}

// Copies a piece of a chunk into the module's memory; throws where the chunk was taken away (detached).
export const copyPiece = (chunk, start, to) => to.set(chunk.subarray(start, start + to.length));

// A stream that is being read, into memory of the reader's where the browser allows it: chunks of its own making would pile
// up by the hundreds of megabytes until they are collected as garbage.
class Chunks {
  constructor(stream) {
    this.since = performance.now();
    try {
      this.reader = stream.getReader({ mode: "byob" });
      this.fills = true;
    } catch {
      this.reader = stream.getReader();
    }
  }

  // What becomes of a cancelled stream matters to nobody.
  cancel() {
    this.reader.cancel().catch(() => {});
  }
}

// Streams that are being read: a browser may collect one as garbage that only it itself would go on with.
const reading = new Set();

// Reads so many bytes of a stream, by way of `chunks.buffer`, which takes them all where it `keeps` them; leaves off where the
// signal is aborted. Looks for the end of the stream, unless that `goesOn`. Resolves to what is wrong where there are other
// bytes than expected, and rejects where the browser refuses to read.
async function pass(chunks, expected, feed, signal, keeps, goesOn) {
  let found = 0;
  reading.add(chunks);
  try {
    while (!goesOn || found < expected) {
      const start = keeps ? found : 0;
      // Memory is handed to the stream, and comes back under the chunk.
      const room = Math.min(chunks.buffer.byteLength - start, goesOn ? expected - found : CHUNK, CHUNK);
      const { done, value } = await chunks.reader.read(chunks.fills && new Uint8Array(chunks.buffer, start, room));
      if (done) break;
      if (!(value instanceof Uint8Array)) throw new TypeError("a Blob's stream gave something else than bytes");
      found += value.length;
      if (chunks.fills) chunks.buffer = value.buffer;
      if (signal?.aborted || found > expected) {
        chunks.cancel();
        break;
      }
      if (keeps && !chunks.fills) new Uint8Array(chunks.buffer).set(value, start);
      feed?.(value, BOTH);
      if (performance.now() - chunks.since >= STRETCH) {
        await pause();
        chunks.since = performance.now();
      }
    }
  } finally {
    reading.delete(chunks);
  }
  if (found !== expected) return `The file changed: ${expected} bytes were asked for, and ${found} came`;
}

// Reads all of a blob. As `pass`.
function readAll(blob, expected, feed, signal) {
  const chunks = new Chunks(blob.stream());
  chunks.buffer = new ArrayBuffer(Math.min(expected || 1, CHUNK));
  return pass(chunks, expected, feed, signal);
}

// Hashes bytes by Web Crypto; undefined where that cannot be had.
async function sha1(bytes) {
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
    if (digest.length === 20) return digest;
  } catch {
    // The context is not secure, or memory is short.
  }
}

// Copies the digest that the platform computed in the place of a feed; tells whether it did.
export function ownDigest({ digest }, to) {
  if (digest) to.set(digest);
  return digest !== undefined;
}

// Reads one file part by part. A stream costs more to open than a small part does to read: it goes on with the part that
// follows, but not for long, as browsers that tell of a changed file do so where a stream is opened.
export class Reader {
  constructor(blob) {
    this.blob = blob;
    this.spare = [];
  }

  // As `pass`; resolves to the bytes where they are to be kept, and there is memory for them. Where it `digests`, the platform
  // computes the part's own digest on a thread of its own, if it can: see `ownDigest`.
  async read(start, end, feed, digests, keeps, signal) {
    const length = end - start;
    // Only a secure context has it.
    digests &&= globalThis.crypto?.subtle !== undefined;
    const gathers = keeps || digests;
    let kept = gathers ? this.spare.pop() : undefined;
    if (gathers && !(kept?.byteLength >= length)) kept = reserve(length)?.buffer;
    const chunks = this.open(start, end);
    const { fills } = chunks;
    this.closed = false;
    chunks.buffer = kept ?? this.scratch ?? new ArrayBuffer(CHUNK);
    this.scratch = undefined;
    const changed = await pass(chunks, length, digests && kept ? undefined : feed, signal, kept !== undefined, fills);
    if (changed) return changed;
    if (signal.aborted || this.closed) chunks.cancel();
    else if (fills) Object.assign(this, { chunks, position: end });
    if (!kept) {
      if (!this.closed) this.scratch = chunks.buffer;
      return;
    }
    const bytes = new Uint8Array(chunks.buffer, 0, length);
    if (digests) {
      const digest = sha1(bytes);
      await feedBytes(bytes, feed, FILE, signal);
      feed.digest = await digest;
      if (!feed.digest) await feedBytes(bytes, feed, PART, signal);
    }
    if (keeps) return bytes;
    this.recycle(bytes);
  }

  // Returns the stream that is there already, or another; nobody else reads on with it meanwhile.
  open(start, end) {
    const { blob, chunks } = this;
    this.chunks = undefined;
    if (chunks && start === this.position && performance.now() < this.until) return chunks;
    chunks?.cancel();
    this.until = performance.now() + LIFETIME;
    if (this.fills !== false) {
      const chunks = new Chunks(slice(blob, start, blob.size).stream());
      this.fills = chunks.fills ?? false;
      if (this.fills) return chunks;
      // The browser reads as far as it likes.
      chunks.cancel();
    }
    return new Chunks(slice(blob, start, end).stream());
  }

  // Takes back the memory of a part that was kept, for another: left as garbage it would pile up.
  recycle({ buffer }) {
    if (!this.closed) this.spare.push(buffer);
  }

  // Lets go of the file and of spare memory, until it is read again.
  close() {
    this.closed = true;
    this.spare = [];
    this.scratch = undefined;
    this.chunks?.cancel();
    this.chunks = undefined;
  }
}

// Reads ranges of a blob (start and end of each), one after the other. As `pass`.
export async function readRanges(blob, ranges, feed) {
  const bounds = [...ranges];
  for (let at = 0; at < bounds.length; at += 2) {
    const [start, end] = bounds.slice(at, at + 2);
    const changed = await readAll(slice(blob, start, end), end - start, feed);
    if (changed) return changed;
  }
}

// Reads the whole of a blob. Not as a slice, which ends where the file ended when it was picked: Firefox reads a file that
// has grown since to its real end, and so tells.
export const readWhole = async (blob, feed, signal) => readAll(blob, blob.size, feed, signal);

// Reads the last byte of a blob, which costs little more than a look at the file's metadata. No browser reads a file that is
// gone or has become too short; Chromium reads none that was written to since it was picked. Of an empty file there is no
// byte to read but by mistake: Chromium takes a file for empty that is gone before anyone asks for its size.
export async function probe(blob, signal) {
  const { size } = blob;
  return size ? readAll(slice(blob, size - 1, size), 1, undefined, signal) : readWhole(blob, undefined, signal);
}

// Feeds bytes that are in memory already; leaves off where the signal is aborted.
export async function feedBytes(bytes, feed, digests = BOTH, signal = undefined) {
  let since = performance.now();
  for (let start = 0; start < bytes.length && !signal?.aborted; start += CHUNK) {
    feed(bytes.subarray(start, start + CHUNK), digests);
    if (performance.now() - since >= STRETCH) {
      await pause();
      since = performance.now();
    }
  }
}

// ---------------------------------------------------------------------------------------------------
// Locks that the tabs of one origin share (W3C Web Locks API), and stores.

// Longest wait for a store, and for the browser's word on a lock, in milliseconds.
const LIMIT = 5000;
// Longest time that a browser takes to hear of a lock that was let go of, in milliseconds.
const RELEASE = 200;

// Takes a lock, unless another holds it: undefined then. Resolves to the function that lets go of it. Where the runtime has
// no locks, or will not give one, it is a lock in name only: nothing can be kept apart there.
export async function takeLock(name) {
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  try {
    const isRefused = () => within(LIMIT, new Promise((resolve, reject) => {
      const settle = (lock) => {
        resolve(!lock);
        return lock ? held : undefined;
      };
      navigatorField("locks").request(name, { ifAvailable: true }, settle).catch(reject);
    }));
    // Of a lock that this page let go of a moment ago the browser may not know yet.
    if ((await isRefused()) && (await sleep(RELEASE), await isRefused())) return;
  } catch {
    // In name only.
  }
  return release;
}

// Calls a method of a store. Values are handed over as JSON: undefined where there is nothing, empty where it is none.
export async function callStore(store, method, key, json) {
  const value = await within(LIMIT, json === undefined ? store[method](key) : store[method](key, JSON.parse(json)));
  return method !== "get" || value === undefined || value === null ? undefined : stringify(value);
}

// Returns the store of the option `store`; undefined for none.
export function storeOf(fields, blob) {
  const value = fields.get("store");
  try {
    if (value === "none") return;
    if (value === "indexeddb") return indexedDbStore;
    // A plain Blob has no date to be known again by.
    if (value === undefined) return isFile(blob) && globalThis.indexedDB ? indexedDbStore : undefined;
    if (["get", "set", "delete"].every((name) => typeof value[name] === "function")) return value;
  } catch {
    // A getter throws.
  }
  fields.refuse("store", 'takes "indexeddb", "none", or an object with the methods get, set and delete');
}

export const errorName = (error) => {
  try {
    return typeof error.name === "string" ? error.name : "it is no Error";
  } catch {
    return "it is no Error";
  }
};

const RECORDS = "records";

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// The database is opened for each step anew: left open, it would keep other tabs from ever deleting it.
async function run(mode, step) {
  const opening = indexedDB.open("upload-session", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(RECORDS);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(RECORDS, mode);
    const request = step(transaction.objectStore(RECORDS));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      // A full disk shows at the end of the transaction alone.
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  } finally {
    database.close();
  }
}

// Resume records in IndexedDB: an `UploadStore` like a caller's own.
const indexedDbStore = {
  get: (key) => run("readonly", (records) => records.get(key)),
  set: (key, value) => run("readwrite", (records) => records.put(value, key)),
  delete: (key) => run("readwrite", (records) => records.delete(key)),
};
