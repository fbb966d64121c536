// The page's resume records, in an IndexedDB of its own: the module's snapshot of each unfinished upload, and what the
// page needs to list it and to go on with it. There are no credentials in either.

const DATABASE = "upload-session-demo";
const UPLOADS = "uploads";

/**
 * The unfinished uploads of one consumer. A record is
 * {key, consumerId, serviceId, name, size, confirmed, changedAt, snapshot, handle?}: sizes in bytes, `changedAt` in
 * milliseconds since 1970, `handle` the FileSystemFileHandle where the browser gave one.
 */
export class Records {
  #consumerId;
  #channel = new BroadcastChannel(DATABASE);
  #listener = () => {};

  constructor(consumerId) {
    this.#consumerId = consumerId;
    this.#channel.addEventListener("message", () => this.#listener());
  }

  /** Calls `listener` whenever a record has come or gone, in whatever tab; in place of an earlier listener. */
  onChange(listener) {
    this.#listener = listener;
  }

  /** Resolves to this consumer's records, the latest first. */
  async list() {
    const records = await run("readonly", (uploads) => uploads.getAll());
    return records
      .filter(({ consumerId }) => consumerId === this.#consumerId)
      .sort((one, other) => other.changedAt - one.changedAt);
  }

  get(key) {
    return run("readonly", (uploads) => uploads.get(key));
  }

  async put(record, isNew) {
    await run("readwrite", (uploads) => uploads.put({ ...record, consumerId: this.#consumerId, changedAt: Date.now() }));
    if (isNew) this.#tell();
  }

  async delete(key) {
    await run("readwrite", (uploads) => uploads.delete(key));
    this.#tell();
  }

  #tell() {
    this.#listener();
    this.#channel.postMessage("changed");
  }
}

/** The UploadStore of one upload: the module says what is to be kept, the page adds what it is about. */
export class RecordStore {
  #records;
  #about;
  #confirmed;
  #isKept = false;

  /**
   * `about` has the record's own fields: {serviceId, name, size, handle}; `record` is the one to go on from, where that
   * is known; `confirmed` returns how far the upload is.
   */
  constructor(records, about, record, confirmed) {
    this.#records = records;
    this.#about = { ...about };
    this.#confirmed = confirmed;
    this.#take(record);
    this.key = record?.key;
  }

  /** The record's key, once it is known. */
  key;

  /** Whether there is a record to go on with, as far as this upload knows. */
  get isKept() {
    return this.#isKept;
  }

  async get(key) {
    this.key = key;
    const record = await this.#records.get(key);
    this.#take(record);
    return record?.snapshot;
  }

  async set(key, snapshot) {
    this.key = key;
    await this.#records.put({ ...this.#about, key, snapshot, confirmed: this.#confirmed() }, !this.#isKept);
    this.#isKept = true;
  }

  async delete(key) {
    await this.#records.delete(key);
    this.#isKept = false;
  }

  #take(record) {
    this.#isKept = record !== undefined;
    // A file that was picked by hand this time is still where it was.
    this.#about.handle ??= record?.handle;
  }
}

let opened;

/** Opens the database once; where that fails the next call tries again. */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(UPLOADS, { keyPath: "key" });
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const forget = () => { opened = undefined; };
      // Another tab wants to delete or to change the database: it must not wait for this one.
      request.result.onversionchange = () => { request.result.close(); forget(); };
      request.result.onclose = forget;
      resolve(request.result);
    };
  }).catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** Does one thing with the store of uploads; resolves to its result once that is on disk. */
async function run(mode, step) {
  const transaction = (await database()).transaction(UPLOADS, mode);
  const request = step(transaction.objectStore(UPLOADS));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}
