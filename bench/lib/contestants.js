// Who takes part, and how the page runs each.

const ours = (entry, body) => ({ contestant: "ours", entry, body, service: "box" });

const javascript = (thread, body) => ({ contestant: "javascript", thread, body, service: "box" });

/** By name: what stands in the tables, the options that the page is given, and whose page it is, the emulator's unless said. */
export const CONTESTANTS = {
  limit: { label: "(a) bare `fetch`, no digest", contestant: "limit", service: "dropbox" },
  "limit-bytes": { label: "(a) bare `fetch` of bytes in memory, no digest", contestant: "limit", body: "buffer", service: "dropbox" },
  ours: { label: "(b) ours", ...ours("index", "auto") },
  "ours-worker": { label: "(b) ours in the worker", ...ours("worker", "auto") },
  "ours-blob": { label: "(b) ours, `blob`", ...ours("index", "blob") },
  "ours-buffer": { label: "(b) ours, `buffer`", ...ours("index", "buffer") },
  "ours-worker-blob": { label: "(b) ours in the worker, `blob`", ...ours("worker", "blob") },
  "ours-worker-buffer": { label: "(b) ours in the worker, `buffer`", ...ours("worker", "buffer") },
  "javascript-blob": { label: "(c) `hash-wasm`, slices", ...javascript("page", "blob") },
  "javascript-buffer": { label: "(c) `hash-wasm`, buffers", ...javascript("page", "buffer") },
  "javascript-worker-blob": { label: "(c) `hash-wasm` in a worker, slices", ...javascript("worker", "blob") },
  "javascript-worker-buffer": { label: "(c) `hash-wasm` in a worker, buffers", ...javascript("worker", "buffer") },
  apideck: { label: "(d) Apideck's SDK", contestant: "apideck", service: "dropbox" },
  "apideck-box": { label: "(d) Apideck's SDK to Box, with digests", contestant: "apideck-box", service: "box" },
  "apideck-box-worker": { label: "(d) Apideck's SDK to Box, with digests, in a worker", contestant: "apideck-box", thread: "worker", service: "box" },
  hashing: { label: "SHA-1 alone", contestant: "hashing" },
  tus: { label: "(e) tus-js-client, to `@tus/server`", contestant: "tus", at: "peers" },
  uppy: { label: "(f) Uppy, `xhr-upload`, to a sink", contestant: "uppy", at: "peers" },
};

/** Whether a contestant computes the digests: Box takes nothing without. */
export const hashes = (name) => CONTESTANTS[name].service === "box";

/** The address of the page that runs a contestant. */
export function pageOf(servers, name, { inFlight = 4, ...more } = {}) {
  const { label, at = "emulator", ...options } = CONTESTANTS[name];
  return `${servers[at].address}/?${new URLSearchParams({ thread: "page", inFlight, ...options, ...more })}`;
}
