// The page's end of the line to its one worker.

import { UploadError } from "../index.js";
import { Port } from "./port.js";

/** The line to the latest worker. */
export let link;

/**
 * Starts the worker and gives it the module. Rejects with the code `worker` where it cannot be had; `onEnd` is called
 * where it fails, be it now or later.
 */
export async function connect(startWorker, module, onEnd) {
  let worker;
  try {
    worker = startWorker();
  } catch (cause) {
    throw failure("The worker cannot be started", cause);
  }
  const opened = new Link(worker, onEnd);
  await opened.call("init", module);
  link = opened;
}

const failure = (message, cause) => new UploadError(message, { code: "worker", retryable: true, cause });

class Link extends Port {
  #worker;
  #onEnd;
  #last = 0;
  // By id, until the worker cannot speak of it any more: what becomes of an upload, and the page's functions for it.
  #uploads = new Map();
  // Sessions that wait for the worker: nothing else keeps one of which the page has but the promise.
  #waiting = new Set();
  #collected = new FinalizationRegistry((id) => this.tell("free", id));

  constructor(worker, onEnd) {
    super(worker, {
      event: (id, ...event) => this.#uploads.get(id).upload.receive(...event),
      ask: (id, name, ...args) => this.#ask(id, name, args),
      forget: (id) => this.#uploads.delete(id),
    });
    this.#worker = worker;
    this.#onEnd = onEnd;
    worker.addEventListener("error", ({ message }) => {
      this.#end(failure(`The worker failed: ${message || "its script cannot be loaded"}`));
    });
    worker.addEventListener("messageerror", () => this.#end(failure("A message of the worker cannot be read")));
  }

  /** Takes a session in, whose events go to `upload`, and returns its id here. */
  add(session, upload, functions) {
    const id = ++this.#last;
    this.#uploads.set(id, { upload, functions });
    this.#collected.register(session, id);
    return id;
  }

  /** Keeps a session until what it has asked of the worker is done. */
  async keep(session, call) {
    const entry = { session };
    this.#waiting.add(entry);
    try {
      return await call;
    } finally {
      this.#waiting.delete(entry);
    }
  }

  async #ask(id, name, args) {
    const { upload, functions } = this.#uploads.get(id);
    try {
      return await functions[name](...args);
    } catch (thrown) {
      throw upload.standIn(thrown);
    }
  }

  #end(error) {
    this.#worker.terminate();
    this.#onEnd();
    this.fail(error);
    for (const { upload } of this.#uploads.values()) upload.fail();
    this.#uploads.clear();
  }
}
