// Who takes part, and how the page runs each.

const ours = (entry, body) => ({ contestant: "ours", entry, body, service: "box" });

/** By name: what stands in the tables, the options that the page is given, and whose page it is, the emulator's unless said. */
export const CONTESTANTS = {
  limit: { label: "(a) bare `fetch`, no digest", contestant: "limit", service: "dropbox" },
  ours: { label: "(b) ours", ...ours("index", "auto") },
  "ours-worker": { label: "(b) ours in the worker", ...ours("worker", "auto") },
  "ours-blob": { label: "(b) ours, `blob`", ...ours("index", "blob") },
  "ours-buffer": { label: "(b) ours, `buffer`", ...ours("index", "buffer") },
  "ours-worker-blob": { label: "(b) ours in the worker, `blob`", ...ours("worker", "blob") },
  "ours-worker-buffer": { label: "(b) ours in the worker, `buffer`", ...ours("worker", "buffer") },
  javascript: { label: "(c) `hash-wasm`", contestant: "javascript", service: "box" },
  "javascript-worker": { label: "(c) `hash-wasm`, in a worker", contestant: "javascript", service: "box", thread: "worker" },
  apideck: { label: "(d) Apideck's SDK, one part after the other, no digest", contestant: "apideck", service: "dropbox" },
  tus: { label: "(e) tus-js-client, to `@tus/server`", contestant: "tus", at: "peers" },
  uppy: { label: "(f) Uppy, `xhr-upload`, to a sink", contestant: "uppy", at: "peers" },
};

/** The address of the page that runs a contestant. */
export function pageOf(servers, name, { inFlight = 4, ...more } = {}) {
  const { label, at = "emulator", ...options } = CONTESTANTS[name];
  return `${servers[at].address}/?${new URLSearchParams({ thread: "page", inFlight, ...options, ...more })}`;
}
