// The package's classes, over those of the module. The build bundles them with what wasm-bindgen made beside the module.

import load, { sha1Digest as digest, UploadSession as Session, UploadSessionsApi as Api } from "./upload_session.js";

export { UploadError } from "./upload_session.js";

let isWarm;

export default async function init(input) {
  // The loader warns of everything but an object of its own, which is let through.
  const exports = await load({ module_or_path: input?.module_or_path ?? input });
  if (!isWarm) warmUp();
  return exports;
}

// Makes a session of nothing: a browser compiles a function when it is called first, which takes several milliseconds here.
// They are not to fall into the very task in which a file is picked.
function warmUp() {
  isWarm = true;
  try {
    new Session(new Blob(), { name: "-", parentFolderId: "-" }).free();
  } catch {
    // What is missing is told where it is needed.
  }
}

export async function sha1Digest(body) {
  return digest(body);
}

export class UploadSessionsApi extends Api {
  static get name() {
    return "UploadSessionsApi";
  }

  create(request, options) {
    return this.call("create", request, options);
  }

  get(request, options) {
    return this.call("get", request, options);
  }

  upload(request, options) {
    return this.call("upload", request, options);
  }

  delete(request, options) {
    return this.call("delete", request, options);
  }

  finish(request, options) {
    return this.call("finish", request, options);
  }

  uploadFile(request, options) {
    return this.call("uploadFile", request, options);
  }
}

// Sessions that were started and have not ended. Without this a session that a page keeps only the promise of
// could be collected as garbage, and its upload be cancelled with it.
const running = new Set();

// Sessions that a page let go of.
const freed = new WeakSet();

export class UploadSession extends Session {
  static get name() {
    return "UploadSession";
  }

  static async resume(file, options) {
    const session = await Session.fromStore(file, options);
    return session && Object.setPrototypeOf(session, UploadSession.prototype);
  }

  static fromSnapshot(file, snapshot, options) {
    return Object.setPrototypeOf(Session.fromSnapshot(file, snapshot, options), UploadSession.prototype);
  }

  start() {
    const promise = super.start();
    running.add(this);
    const release = () => running.delete(this);
    promise.then(release, release);
    return promise;
  }

  // A page that let go of a session may still clean up behind it, e.g. where start() rejects.
  async abort() {
    if (!freed.has(this)) await super.abort();
  }

  free() {
    if (freed.has(this)) return;
    freed.add(this);
    // A listener may call it within another call, which still borrows the session.
    queueMicrotask(() => super.free());
  }
}
