// What runs in the worker: the uploads of one page, whose options hold functions that stay on the page.

import init, { UploadSession, sha1Digest } from "../index.js";
import { Port, pack } from "./port.js";

const sessions = new Map();

// A session that was freed may still delete itself on the server, and ask for a token to do so: the page keeps its
// functions until nothing here can call them any more.
const uncallable = new FinalizationRegistry((id) => port.tell("forget", id));

const port = new Port(globalThis, {
  init: async (module) => void (await init(module)),
  sha1Digest,

  async start(id, setup) {
    const file = await open(id, setup).start();
    // All that could still be asked of it is known to the page.
    free(id);
    return file;
  },

  tellParts,
  pause: (id) => sessions.get(id)?.session.pause(),
  resume: (id) => sessions.get(id)?.session.resume(),
  abort: (id) => sessions.get(id)?.session.abort(),
  signal: (id, reason) => sessions.get(id)?.controller.abort(reason),
  free,
});

// The page would wait for good: uncaught, this ends the worker and all that waits for it.
addEventListener("messageerror", () => {
  throw new Error("a message of the page cannot be read");
});

function open(id, { file, snapshot, options, standIns, parts }) {
  const controller = new AbortController();
  const ask = (name, ...args) => port.call("ask", id, name, args);
  uncallable.register(ask, id);
  const own = {
    apiKey: () => ask("apiKey"),
    store: {
      get: (key) => ask("get", key),
      set: (key, value) => ask("set", key, value),
      delete: (key) => ask("delete", key),
    },
    signal: controller.signal,
  };
  for (const name of standIns) options[name] = own[name];
  const session = snapshot ? UploadSession.fromSnapshot(file, snapshot, options) : new UploadSession(file, options);
  sessions.set(id, { session, controller });
  for (const name of ["state", "session", "progress", "retry", "warning"]) tell(id, name);
  if (parts) tellParts(id);
  return session;
}

function tellParts(id) {
  const found = sessions.get(id);
  if (!found || found.tellsParts) return;
  found.tellsParts = true;
  tell(id, "part");
}

/** Passes one kind of event on, with what the properties of the session are by then. */
function tell(id, name) {
  const { session } = sessions.get(id);
  session.on(name, (detail) => {
    const view = {};
    // What is freed may still tell of its end, and has no properties any more.
    if (sessions.has(id)) {
      Object.assign(view, { id: session.id, state: session.state, progress: session.progress });
      // It changes with what is done alone, and is made anew each time.
      if (name !== "part" || detail.state === "done") view.snapshot = session.snapshot();
    }
    port.tell("event", id, name, name === "retry" ? { ...detail, error: pack(detail.error) } : detail, view);
  });
}

function free(id) {
  sessions.get(id)?.session.free();
  sessions.delete(id);
}
