// `upload-session/worker`, the same package with the uploads in a dedicated worker: one for the page, whose own thread stays
// free. The build bundles it, and the worker's script, beside the module's JavaScript.

import load, { sha1Digest as digestHere } from "../upload_session.js";
import { connect, link } from "./link.js";
import { UploadSession } from "./session.js";

export { UploadError, UploadSessionsApi } from "../upload_session.js";
export { UploadSession };

let loading;

export default function init(input, { worker = startWorker } = {}) {
  loading ??= start(input, worker).catch((error) => {
    forget();
    throw error;
  });
  return loading;
}

// Bundlers know it by these very words, and make the worker's own bundle.
const startWorker = () => new Worker(new URL("./thread.js", import.meta.url), { type: "module" });

const forget = () => {
  loading = undefined;
};

async function start(input, worker) {
  const exports = await load(input);
  await connect(worker, exports.module, forget);
  warmUp();
  return exports;
}

// As that of the module: for what a session is handed over by.
function warmUp() {
  try {
    const session = new UploadSession(new Blob(), { name: "-", parentFolderId: "-" });
    session.snapshot();
    session.free();
  } catch {
    // What is missing is told where it is needed.
  }
}

export async function sha1Digest(body) {
  return link && body instanceof Blob ? link.call("sha1Digest", body) : digestHere(body);
}
