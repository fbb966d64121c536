// The page's end of the line to its one worker.

import { UploadError } from "../upload_session.js";
import { open } from "./port.js";

/** The line to the latest worker. */
export let link;

/**
 * Starts the worker and gives it the module. Rejects with the code `worker` where it cannot be had; `onEnd` is called
 * where it fails, be it now or later.
 */
export async function connect(startWorker, module, onEnd) {
  // By id, until the worker cannot speak of it any more.
  const uploads = new Map();
  let last = 0;
  let worker;
  try {
    worker = startWorker();
  } catch (cause) {
    throw failure("The worker cannot be started", cause);
  }
  const { call, tell, fail } = open(worker, {
    event: (id, ...event) => uploads.get(id).receive(...event),
    ask: (id, ...question) => uploads.get(id).ask(...question),
    forget: (id) => uploads.delete(id),
  });
  let ended = false;
  const end = (message) => {
    // A second word of the same worker is not of its successor.
    if (ended) return;
    ended = true;
    worker.terminate();
    onEnd();
    fail(failure(message));
  };
  worker.addEventListener("error", ({ message }) => end(`The worker failed: ${message || "its script cannot be loaded"}`));
  worker.addEventListener("messageerror", () => end("A message of the worker cannot be read"));
  const collected = new FinalizationRegistry((id) => tell("free", id));

  /** Takes a session in, whose events go to `upload`; returns how it speaks of that one to the worker. */
  const add = (session, upload) => {
    const id = ++last;
    uploads.set(id, upload);
    collected.register(session, id);
    return { call: (name, ...args) => call(name, id, ...args), tell: (name, ...args) => tell(name, id, ...args) };
  };

  await call("init", module);
  link = { call, add };
}

const failure = (message, cause) => new UploadError(message, { code: "worker", retryable: true, cause });
