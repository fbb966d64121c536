// Resume records in IndexedDB: an `UploadStore` like a caller's own.
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

export const indexedDbStore = {
  get: (key) => run("readonly", (records) => records.get(key)),
  set: (key, value) => run("readwrite", (records) => records.put(value, key)),
  delete: (key) => run("readwrite", (records) => records.delete(key)),
};
