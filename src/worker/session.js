// `UploadSession` on the page, while the upload itself runs in the worker.

import { UploadError, UploadSession as Local } from "../upload_session.js";
import { link } from "./link.js";
import { Upload } from "./upload.js";

export class UploadSession {
  static get name() {
    return "UploadSession";
  }

  #file;
  #options;
  #signal;
  // The same session on the page's own thread: it checks whatever it is given, is all there is until start(), and is
  // itself never started.
  #local;
  #upload;
  #line;
  #promise;
  #isFreed;

  /** `local` is given by this class alone, for a session that goes on from a snapshot. */
  constructor(file, options, local = new Local(file, options)) {
    this.#file = file;
    this.#local = local;
    this.#signal = options.signal;
    this.#upload = new Upload(options);
    this.#options = plain(options);
  }

  static async resume(file, options) {
    const local = await Local.resume(file, options);
    return local && new UploadSession(file, options, local);
  }

  static fromSnapshot(file, snapshot, options) {
    return new UploadSession(file, options, Local.fromSnapshot(file, snapshot, options));
  }

  get id() {
    return this.#view.id;
  }

  get state() {
    return this.#view.state;
  }

  get progress() {
    return this.#view.progress;
  }

  snapshot() {
    return this.#view.snapshot;
  }

  start() {
    // What was aborted already has nothing to hand over.
    this.#promise ??= this.#view.state === "idle" ? this.#run() : this.#local.start();
    return this.#promise;
  }

  pause() {
    this.#tell("pause");
  }

  resume() {
    this.#tell("resume");
  }

  // A page that let go of a session may still clean up behind it, e.g. where start() rejects.
  async abort() {
    if (!this.#isFreed) await (this.#line ? this.#line.call("abort") : this.#local.abort());
  }

  on(event, listener) {
    this.#refuseFreed();
    const upload = this.#upload;
    if (event === "part") {
      upload.parts = true;
      this.#line?.tell("parts");
    }
    const tellLocal = (detail) => upload.view || listener.call(undefined, detail);
    const offLocal = this.#local.on(event, typeof listener === "function" ? tellLocal : listener);
    const off = upload.on(event, listener);
    return () => {
      offLocal();
      off();
    };
  }

  free() {
    if (this.#isFreed) return;
    this.#tell("free");
    this.#isFreed = true;
    this.#local.free();
  }

  /** Hands the upload over to the worker. */
  async #run() {
    if (!link) throw new UploadError("init() of upload-session/worker comes first", { code: "worker", retryable: false });
    const upload = this.#upload;
    const signal = this.#signal;
    upload.view = { ...this.#view };
    const line = link.add(this, upload);
    this.#line = line;
    const stop = () => line.tell("signal", upload.standIn(signal.reason));
    signal?.addEventListener("abort", stop);
    try {
      return await line.call("start", this.#file, this.#options, upload.view.snapshot, upload.parts);
    } catch (error) {
      // Named by `this`, as nothing else may keep a session of which the page has but the promise.
      if (error?.code === "worker") this.#upload.fail();
      throw this.#upload.revive(error);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #tell(name) {
    this.#refuseFreed();
    this.#line?.tell(name);
  }

  get #view() {
    this.#refuseFreed();
    const { id, state, progress } = this.#local;
    return this.#upload.view ?? { id, state, progress, snapshot: this.#local.snapshot() };
  }

  #refuseFreed() {
    if (this.#isFreed) throw new UploadError("The session was freed", { code: "invalid_argument", retryable: false });
  }
}

/** Copies options that were found good. Those that the worker has to ask the page for are null. */
function plain(options) {
  const { apiKey, store, serverUrl } = options;
  return JSON.parse(
    JSON.stringify({
      ...options,
      signal: undefined,
      apiKey: typeof apiKey === "function" ? null : apiKey,
      store: typeof store === "string" ? store : store && null,
      // A path is one of the page's: the worker's script may lie elsewhere.
      serverUrl: serverUrl && new URL(serverUrl, location.href).href,
    }),
  );
}
