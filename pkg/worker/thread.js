// What runs in the worker: the uploads of one page, whose options hold functions that stay on the page.

import init, { UploadSession, sha1Digest } from "../index.js";
import { Port, pack } from "./port.js";

const runs = new Map();

// What was freed may still delete its session on the server, ask for a token to do so, and tell how that ends: the page
// listens until nothing here can speak of it any more.
const silent = new FinalizationRegistry((id) => port.tell("forget", id));

const port = new Port(globalThis, {
  init: async (module) => void (await init(module)),
  sha1Digest,

  async start(id, setup) {
    const run = new Run(id, setup);
    silent.register(run, id);
    runs.set(id, run);
    const file = await run.session.start();
    // All that could still be asked of it is known to the page.
    free(id);
    return file;
  },

  tellParts: (id) => runs.get(id)?.tellParts(),
  pause: (id) => runs.get(id)?.session.pause(),
  resume: (id) => runs.get(id)?.session.resume(),
  abort: (id) => runs.get(id)?.session.abort(),
  signal: (id, reason) => runs.get(id)?.controller.abort(reason),
  free,
});

// The page would wait for good: uncaught, this ends the worker and all that waits for it.
addEventListener("messageerror", () => {
  throw new Error("a message of the page cannot be read");
});

function free(id) {
  runs.get(id)?.session.free();
  runs.delete(id);
}

/** One upload; its listeners and functions keep it for as long as they can be called. */
class Run {
  controller = new AbortController();
  #id;
  #tellsParts = false;

  constructor(id, { file, snapshot, options, standIns, parts }) {
    this.#id = id;
    for (const name of standIns) options[name] = this.#standIn(name);
    this.session = snapshot ? UploadSession.fromSnapshot(file, snapshot, options) : new UploadSession(file, options);
    for (const name of ["state", "session", "progress", "retry", "warning"]) this.#tell(name);
    if (parts) this.tellParts();
  }

  /** Returns what stands here for an option of the page's that cannot be cloned. */
  #standIn(name) {
    const ask = (...question) => port.call("ask", this.#id, ...question);
    if (name === "signal") return this.controller.signal;
    if (name === "apiKey") return () => ask("apiKey");
    return Object.fromEntries(["get", "set", "delete"].map((method) => [method, (...args) => ask(method, ...args)]));
  }

  tellParts() {
    if (this.#tellsParts) return;
    this.#tellsParts = true;
    this.#tell("part");
  }

  /** Passes one kind of event on, with what the session's properties are by then. */
  #tell(name) {
    this.session.on(name, (detail) => {
      const told = name === "retry" ? { ...detail, error: pack(detail.error) } : detail;
      // It changes with what is done alone, and is made anew each time.
      const isSnapshotNew = name !== "part" || detail.state === "done";
      port.tell("event", this.#id, name, told, runs.has(this.#id) ? this.#view(isSnapshotNew) : {});
    });
  }

  #view(isSnapshotNew) {
    const { id, state, progress } = this.session;
    return isSnapshotNew ? { id, state, progress, snapshot: this.session.snapshot() } : { id, state, progress };
  }
}
