// The same package with the uploads in a dedicated worker: one for the page, whose own thread stays free.

import load, { sha1Digest as digestHere, UploadError } from "./index.js";
import { connect, link } from "./worker/link.js";

export { UploadError, UploadSessionsApi } from "./index.js";
export { UploadSession } from "./worker/session.js";

let loading;

export default function init(input, { worker = startWorker } = {}) {
  loading ??= start(input, worker).catch((error) => {
    forget();
    throw error;
  });
  return loading;
}

// Bundlers know it by these very words, and make the worker's own bundle.
const startWorker = () => new Worker(new URL("./worker/thread.js", import.meta.url), { type: "module" });

const forget = () => {
  loading = undefined;
};

async function start(input, worker) {
  const module = await compile(input?.module_or_path ?? input ?? new URL("./dist/upload_session_bg.wasm", import.meta.url));
  const exports = await load(module);
  await connect(worker, module, forget);
  return exports;
}

/** Compiles what `init` takes, for page and worker alike. */
async function compile(input) {
  let source = await input;
  if (typeof source === "string" || source instanceof URL || source instanceof Request) source = await fetch(source);
  if (!(source instanceof Response)) return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
  if (!source.ok) throw new Error(`the module cannot be loaded: ${source.url} answered ${source.status}`);
  const isWasm = source.headers.get("content-type")?.split(";")[0].trim() === "application/wasm";
  return isWasm ? WebAssembly.compileStreaming(source) : WebAssembly.compile(await source.arrayBuffer());
}

export function sha1Digest(body) {
  return link && body instanceof Blob ? link.call("sha1Digest", body) : digestHere(body);
}
