// What runs in the worker: the uploads of one page, whose options hold functions that stay on the page.

import init, { UploadSession, sha1Digest } from "../upload_session.js";
import { open, pack } from "./port.js";

const runs = new Map();

// What was freed may still delete its session on the server, ask for a token to do so, and tell how that ends: the page
// listens until nothing here can speak of it any more.
const silent = new FinalizationRegistry((id) => tell("forget", id));

const { call, tell } = open(globalThis, {
  init: async (module) => void (await init(module)),
  sha1Digest,
  start,
  pause: (id) => runs.get(id)?.session.pause(),
  resume: (id) => runs.get(id)?.session.resume(),
  abort: (id) => runs.get(id)?.session.abort(),
  signal: (id, reason) => runs.get(id)?.controller.abort(reason),
  parts: (id) => Object.assign(runs.get(id) ?? {}, { parts: true }),
  free,
});

// The page would wait for good: uncaught, this ends the worker and all that waits for it.
addEventListener("messageerror", () => {
  throw new Error("a message of the page cannot be read");
});

async function start(id, file, options, snapshot, parts) {
  // Whatever can be called or told still leads to it.
  const run = { id, parts, controller: new AbortController() };
  silent.register(run, id);
  const ask = (...question) => call("ask", run.id, ...question);
  if (options.apiKey === null) options.apiKey = () => ask();
  if (options.store === null) {
    options.store = Object.fromEntries(["get", "set", "delete"].map((method) => [method, (...args) => ask(method, ...args)]));
  }
  options.signal = run.controller.signal;
  const session = snapshot ? UploadSession.fromSnapshot(file, snapshot, options) : new UploadSession(file, options);
  run.session = session;
  runs.set(id, run);
  for (const name of ["state", "session", "progress", "part", "retry", "warning"]) {
    session.on(name, (detail) => (name !== "part" || run.parts) && pass(run, name, detail));
  }
  const uploaded = await session.start();
  // All that could still be asked of it is known to the page.
  free(id);
  return uploaded;
}

/** Passes an event on, with what the session's properties are by then. */
function pass({ id, session }, name, detail) {
  if (name === "retry") detail.error = pack(detail.error);
  const view = {};
  if (runs.has(id)) {
    for (const key of ["id", "state", "progress"]) view[key] = session[key];
    // It changes with what is done alone, and is made anew each time.
    if (name !== "part" || detail.state === "done") view.snapshot = session.snapshot();
  }
  tell("event", id, name, detail, view);
}

function free(id) {
  runs.get(id)?.session.free();
  runs.delete(id);
}
