// `UploadSession` on the page, while the upload itself runs in the worker.

import { UploadError, UploadSession as Local } from "../index.js";
import { link } from "./link.js";
import { split } from "./options.js";
import { Upload } from "./upload.js";

export class UploadSession {
  #file;
  #settings;
  // The same session on the page's own thread: it checks whatever it is given, is all there is until start(), and is
  // itself never started.
  #local;
  #offLocal = new Set();
  #upload = new Upload();
  #link;
  #id;
  #promise;
  #isFreed = false;

  /** `local` is given by this class alone, for a session that goes on from a snapshot. */
  constructor(file, options, local = new Local(file, options)) {
    this.#file = file;
    this.#local = local;
    this.#settings = split(options);
  }

  static async resume(file, options) {
    const local = await Local.resume(file, options);
    return local && new UploadSession(file, options, local);
  }

  static fromSnapshot(file, snapshot, options) {
    return new UploadSession(file, options, Local.fromSnapshot(file, snapshot, options));
  }

  get id() {
    return this.#view().id;
  }

  get state() {
    return this.#view().state;
  }

  get progress() {
    return structuredClone(this.#view().progress);
  }

  snapshot() {
    return structuredClone(this.#view().snapshot);
  }

  start() {
    this.#refuseFreed();
    // What was aborted already has nothing to hand over.
    this.#promise ??= this.#local.state === "idle" ? this.#run() : this.#local.start();
    return this.#promise;
  }

  pause() {
    this.#refuseFreed();
    this.#link?.tell("pause", this.#id);
  }

  resume() {
    this.#refuseFreed();
    this.#link?.tell("resume", this.#id);
  }

  // A page that let go of a session may still clean up behind it, e.g. where start() rejects.
  async abort() {
    if (this.#isFreed) return;
    if (this.#link) await this.#link.keep(this, this.#link.call("abort", this.#id));
    else await this.#local.abort();
  }

  on(event, listener) {
    this.#refuseFreed();
    const offLocal = this.#local.on(event, listener);
    if (this.#link) offLocal();
    else this.#offLocal.add(offLocal);
    const off = this.#upload.on(event, listener);
    if (event === "part") this.#link?.tell("tellParts", this.#id);
    return () => {
      offLocal();
      off();
    };
  }

  free() {
    if (this.#isFreed) return;
    this.#isFreed = true;
    this.#local.free();
    this.#link?.tell("free", this.#id);
  }

  /** Hands the upload over to the worker. */
  async #run() {
    if (!link) throw new UploadError("init() of upload-session/worker comes first", { code: "worker", retryable: false });
    const { options, standIns, functions, signal } = this.#settings;
    const upload = this.#upload;
    upload.view = this.#view();
    for (const off of this.#offLocal) off();
    // Another one may follow it.
    const line = link;
    const id = line.add(this, upload, functions);
    this.#link = line;
    this.#id = id;
    const stop = () => line.tell("signal", id, upload.standIn(signal.reason));
    signal?.addEventListener("abort", stop);
    try {
      const setup = { file: this.#file, options, snapshot: upload.view.snapshot, standIns, parts: upload.listensTo("part") };
      return await line.keep(this, line.call("start", id, setup));
    } catch (error) {
      if (error?.code === "worker") upload.fail();
      throw upload.revive(error);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #view() {
    this.#refuseFreed();
    if (this.#link) return this.#upload.view;
    const { id, state, progress } = this.#local;
    return { id, state, progress, snapshot: this.#local.snapshot() };
  }

  #refuseFreed() {
    if (this.#isFreed) throw new UploadError("The session was freed", { code: "invalid_argument", retryable: false });
  }
}
