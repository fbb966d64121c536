// Discards an unfinished upload that no page has in hand: the session on the server first, then the record.

/** What the server says where there is nothing left to delete: it never was, is gone, or is a file by now. */
const GONE = [404, 409, 410];
const RETRIES = { strategy: "backoff", backoff: { initialInterval: 500, maxInterval: 2000, exponent: 1.5, maxElapsedTime: 5000 } };

/** Resolves once the upload is gone from the server and from the records; rejects with a sentence for the visitor. */
export async function discard(record, { records, connection, UploadSessionsApi }) {
  await alone(record.key, async () => {
    const api = new UploadSessionsApi({ ...connection, serviceId: record.serviceId });
    try {
      await api.delete({ id: record.snapshot.sessionId }, { retries: RETRIES });
    } catch (error) {
      if (!GONE.includes(error.status)) throw new Error(`The server could not be told to forget it: ${error.message}. Try again.`);
    } finally {
      api.free();
    }
    await records.delete(record.key);
  });
}

/** Runs a step while no tab runs the upload: the module holds a lock of the record's key as long as it does. */
function alone(key, step) {
  if (!navigator.locks) return step();
  return navigator.locks.request(key, { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error("It is being uploaded in another tab: abort it there.");
    return step();
  });
}
