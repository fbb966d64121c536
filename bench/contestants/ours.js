// (b) This package as its README shows, both digests; `entry` is "index" or "worker", `body` its option of that name.

const ENTRIES = { index: "/pkg/index.js", worker: "/pkg/dist/worker.js" };

let UploadSession;
let memory;

export async function prepare({ entry }) {
  const module = await import(ENTRIES[entry]);
  const exports = await module.default();
  // With the worker, what works is out of sight.
  if (entry === "index") ({ memory } = exports);
  UploadSession = module.UploadSession;
}

export async function upload(file, { server, service, body, inFlight }) {
  const session = new UploadSession(file, {
    serverUrl: server,
    apiKey: "bench",
    appId: "bench",
    consumerId: "bench",
    serviceId: service,
    parentFolderId: "root",
    concurrency: inFlight,
    body,
    // A small file is to be measured like a large one.
    direct: "never",
  });
  await session.start();
}

/** Bytes of the module's linear memory; unknown where it is not in this thread. */
export function facts() {
  return { linearMemory: memory?.buffer.byteLength };
}
