// `upload-session/worker` in a page of someone else's: what `upload-session` promises holds there, too.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEveryPartDigested, partsOf, sentAgain } from "./assertions.js";
import { startChromium, startFirefox } from "./harness.js";
import { useWorkerPage } from "./worker-page.js";

const PART_SIZE = 1_048_576;
/** Slow enough to be met half way, in bytes per second. */
const SLOW = { rate: 4_000_000 };
const FAST = { rate: null };

const BROWSERS = { Chromium: () => startChromium("--js-flags=--expose-gc"), Firefox: startFirefox };

for (const [browser, start] of Object.entries(BROWSERS)) {
  const shared = useWorkerPage(start, { name: `${browser}.bin`, mib: 8 });
  const { run } = shared;

  async function assertStored({ id, size }, file = shared.file) {
    assert.equal(size, file.size);
    assert.equal((await shared.emulator.fileInfo(id)).sha1, file.sha1);
  }

  test(`${browser}: a file arrives byte for byte, and the page's own thread sends nothing of it`, async () => {
    await shared.open("whole");
    const seen = await run(async () => {
      const here = [];
      const { fetch } = window;
      window.fetch = (...args) => (here.push(String(args[0].url ?? args[0])), fetch(...args));
      const session = new UploadSession(file(), options);
      const before = { id: session.id, state: session.state, progress: session.progress, snapshot: session.snapshot() };
      const states = watch(session);
      const parts = [];
      const counts = [];
      session.on("part", ({ partNumber, state }) => {
        // What a page keeps by itself, and what it shows, has to count the part that it was just told of.
        if (state === "done") counts.push(session.progress.parts.done);
        const snapshot = state === "done" ? session.snapshot() : null;
        if (snapshot) parts.push(snapshot.sessionId === session.id && countsPart(snapshot, partNumber));
      });
      const told = until(session, "session");
      const promise = session.start();
      const isSame = promise === session.start();
      const uploaded = await promise;
      const { id, state, progress } = session;
      return { before, states, parts, counts, told: await told, isSame, uploaded, id, state, progress, snapshot: session.snapshot(), here };
    });
    await assertStored(seen.uploaded);
    assertEveryPartDigested(await shared.emulator.stats("whole"), partsOf(shared.file, PART_SIZE));
    assert.deepEqual(seen.states, ["starting", "uploading", "finishing", "done"]);
    assert.equal(seen.before.state, "idle");
    assert.equal(seen.before.progress.total, shared.file.size);
    assert.deepEqual([seen.before.id, seen.before.snapshot], [null, null]);
    assert.deepEqual(seen.parts, Array(partsOf(shared.file, PART_SIZE)).fill(true));
    assert.ok(seen.counts.every((done, before) => done > before), `parts done, told with each: ${seen.counts}`);
    assert.equal(seen.told.id, seen.id);
    assert.ok(seen.isSame, "a second start() gives the same promise");
    assert.deepEqual([seen.state, seen.progress.confirmed, seen.snapshot], ["done", shared.file.size, null]);
    assert.deepEqual(seen.here, []);
  });

  test(`${browser}: pause stops the traffic, resume goes on; two sessions at a time end well`, async () => {
    const other = await shared.folder.file(`other-${browser}.bin`, 6);
    await shared.open("paused", { files: [shared.file, other] });
    await shared.emulator.settings("paused", SLOW);
    await run(async () => {
      window.sessions = [file(0), file(1)].map((each) => new UploadSession(each, options));
      window.promises = sessions.map((session) => session.start());
      await Promise.all(sessions.map((session) => until(session, "part", ({ state }) => state === "done")));
      const paused = sessions.map((session) => until(session, "state", ({ state }) => state === "paused"));
      for (const session of sessions) session.pause();
      await Promise.all(paused);
    });
    const stopped = await shared.waitForStats("paused", (stats) => stats.uploads_in_flight === 0);
    assert.equal(stopped.sessions_open, 2);
    assert.deepEqual(await run(async () => sessions.map(({ state }) => state)), ["paused", "paused"]);
    assert.deepEqual(await shared.emulator.stats("paused"), stopped);
    await shared.emulator.settings("paused", FAST);
    const [first, second] = await run(async () => {
      for (const session of sessions) session.resume();
      return Promise.all(promises);
    });
    await assertStored(first);
    await assertStored(second, other);
  });

  test(`${browser}: abort deletes the session on the server; free() of one without a record does, too`, async () => {
    await shared.open("aborted");
    await shared.emulator.settings("aborted", SLOW);
    const ends = await run(async () => {
      const results = [];
      for (const [name, more] of [["abort", {}], ["free", { store: "none" }]]) {
        const session = new UploadSession(file(), { ...options, ...more, apiKey: () => "key" });
        const ended = end(session.start());
        await until(session, "part", ({ state }) => state === "done");
        await session[name]();
        const { error } = await ended;
        // Both are allowed, and do nothing.
        await session.abort();
        if (name === "free") session.free();
        results.push([error.code, error.isUploadError, name === "abort" ? session.state : undefined]);
      }
      return results;
    });
    assert.deepEqual(ends, [["aborted", true, "aborted"], ["aborted", true, null]]);
    const stats = await shared.waitForStats("aborted", ({ sessions_open, requests }) => sessions_open === 0 && requests.delete === 2);
    assert.equal(stats.requests.create, 2);
  });

  test(`${browser}: free() of a session with a record leaves it to be gone on with`, async () => {
    await shared.open("freed");
    await shared.emulator.settings("freed", SLOW);
    const code = await run(async () => {
      const session = new UploadSession(file(), options);
      const ended = end(session.start());
      await until(session, "part", ({ state }) => state === "done");
      session.free();
      return (await ended).error.code;
    });
    assert.equal(code, "aborted");
    await shared.waitForStats("freed", (stats) => stats.uploads_in_flight === 0);
    await shared.emulator.settings("freed", FAST);
    await assertStored(await run(async () => (await UploadSession.resume(file(), options)).start()));
    const { requests } = await shared.emulator.stats("freed");
    assert.deepEqual([requests.create, requests.delete], [1, 0]);
  });

  test(`${browser}: after a reload an upload goes on from the record that the worker kept`, async () => {
    await shared.open("reloaded");
    await shared.emulator.settings("reloaded", SLOW);
    const record = await run(async () => {
      const session = new UploadSession(file(), options);
      session.start();
      await until(session, "part", ({ partNumber, state }) => partNumber === 1 && state === "done");
      return recorded(session.id, 1);
    });
    await shared.driver.navigate().refresh();
    const before = await shared.waitForStats("reloaded", (stats) => stats.uploads_in_flight === 0);
    await shared.emulator.settings("reloaded", FAST);
    await shared.open("reloaded");
    const { resumed, sessionId, uploaded, second } = await run(async () => {
      const session = await UploadSession.resume(file(), options);
      const { id: sessionId } = session;
      const told = until(session, "session");
      const uploaded = await session.start();
      return { resumed: (await told).resumed, sessionId, uploaded, second: await UploadSession.resume(file(), options) };
    });
    await assertStored(uploaded);
    assert.equal(resumed, true);
    assert.equal(sessionId, record.sessionId);
    assert.equal(second, null, "there is no record any more, and undefined instead of a session");
    const after = await shared.emulator.stats("reloaded");
    assert.equal(after.requests.create, 1);
    assert.ok(after.log.length > before.log.length);
    const acknowledged = new Set(record.acknowledged.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)));
    assert.deepEqual(sentAgain(after.log.slice(before.log.length), { acknowledged }), []);
  });

  test(`${browser}: the page's own functions are called on the page: tokens, a store, and a snapshot kept by hand`, async () => {
    await shared.open("functions");
    await shared.emulator.faults("functions", [
      { operation: "upload", part_number: 1, fault: { kind: "status", status: 401 } },
      { operation: "finish", fault: { kind: "status", status: 402 } },
    ]);
    const { first, tokens, kept, keys, resumed, uploaded, left } = await run(async () => {
      let tokens = 0;
      const records = new Map();
      const keys = new Set();
      class Store {
        async get(key) { keys.add(key); return records.get(key); }
        async set(key, value) { keys.add(key); records.set(key, value); }
        async delete(key) { keys.add(key); records.delete(key); }
      }
      // What is no JSON is left out of what is passed through, as it is without a worker.
      const passThrough = [{ serviceId: "dropbox", extendObject: { why: "a test", again() {} } }];
      const own = { ...options, apiKey: async () => `token-${++tokens}`, store: new Store(), passThrough };
      const session = new UploadSession(file(), own);
      const first = await end(session.start());
      const kept = records.size;
      const found = await UploadSession.resume(file(), own);
      const byHand = UploadSession.fromSnapshot(file(), session.snapshot(), own);
      const uploaded = await byHand.start();
      return { first, tokens, kept, keys: keys.size, resumed: found.id === byHand.id, uploaded, left: records.size };
    });
    assert.equal(first.error.code, "payment_required");
    assert.equal(first.error.status, 402);
    assert.equal(first.error.retryable, false);
    await assertStored(uploaded);
    assert.equal(tokens, 3, "one at the start of each upload, and one after the 401");
    assert.deepEqual({ kept, keys, resumed, left }, { kept: 1, keys: 1, resumed: true, left: 0 });
    assert.equal((await shared.emulator.stats("functions")).requests.create, 1);
  });

  test(`${browser}: what a page's function throws, and the reason of its signal, come back as the very same`, async () => {
    await shared.open("causes");
    await shared.emulator.settings("causes", SLOW);
    const seen = await run(async () => {
      // Neither can be cloned.
      const reason = { why: "the user left", again: () => {} };
      const thrown = Object.assign(new Error("no token"), { retry: () => {} });
      const controller = new AbortController();
      const session = new UploadSession(file(), { ...options, signal: controller.signal });
      const promise = session.start();
      await until(session, "part", ({ state }) => state === "done");
      controller.abort(reason);
      const aborted = await promise.catch((error) => error);
      await session.abort();
      const token = await new UploadSession(file(), { ...options, apiKey: () => { throw thrown; } }).start().catch((error) => error);
      const none = await end(new UploadSession(file(), { ...options, apiKey: () => 7 }).start());
      const early = new UploadSession(file(), { ...options, signal: AbortSignal.abort(reason) });
      const beforeStart = await early.start().catch((error) => error);
      const warnings = [];
      const failing = new UploadSession(file(), { ...options, store: { get() { throw thrown; }, set() {}, delete() {} } });
      failing.on("warning", ({ code }) => warnings.push(code));
      const retries = [];
      failing.on("retry", ({ error }) => retries.push(error instanceof UploadError && error.status));
      await failing.start();
      return {
        aborted: [aborted.code, aborted.cause === reason],
        beforeStart: [beforeStart.code, beforeStart.cause === reason, early.state],
        token: [token.code, token.cause === thrown],
        none: none.error.code,
        warnings,
      };
    });
    assert.deepEqual(seen, {
      aborted: ["aborted", true],
      beforeStart: ["aborted", true, "aborted"],
      token: ["unauthorized", true],
      none: "invalid_argument",
      warnings: ["storage"],
    });
  });

  test(`${browser}: arguments that are off are refused at once, by name`, async () => {
    await shared.open("refused");
    const refusals = await run(async () => {
      const refusal = (make) => {
        try {
          make();
        } catch (error) {
          return [error instanceof UploadError, error.code, error.message.split(" ")[0]];
        }
        return "it was accepted";
      };
      const session = new UploadSession(file(), options);
      const idle = new UploadSession(file(), options);
      idle.free();
      return [
        refusal(() => new UploadSession("a file", options)),
        refusal(() => new UploadSession(file(), { ...options, concurrency: 99 })),
        refusal(() => new UploadSession(file(), { ...options, speed: 1 })),
        refusal(() => UploadSession.fromSnapshot(file(), {}, options)),
        refusal(() => new UploadSession(file(), { ...options, passThrough: [{ extendObject: {} }] })),
        refusal(() => session.on("sate", () => {})),
        refusal(() => session.on("state", "a listener")),
        refusal(() => idle.start()),
        await end(UploadSession.resume(file(), {})).then(({ error }) => [error.isUploadError, error.code, error.message.split(" ")[0]]),
      ];
    });
    const names = ["`file`", "`concurrency`", "`speed`", "`snapshot`", "`passThrough`", "`event`", "`listener`", "The", "`parentFolderId`"];
    assert.deepEqual(refusals, names.map((name) => [true, "invalid_argument", name]));
    assert.deepEqual((await shared.emulator.stats("refused")).log, []);
  });

  test(`${browser}: retries are told with their errors; a listener that throws or leaves disturbs nobody`, async () => {
    await shared.open("told");
    await shared.emulator.faults("told", [{ operation: "upload", part_number: 2, fault: { kind: "status", status: 503 } }]);
    const { retries, counts, uploaded, digest } = await run(async () => {
      const session = new UploadSession(file(), { ...options, retries: { strategy: "backoff", backoff: { initialInterval: 1, maxInterval: 1, exponent: 1, maxElapsedTime: 60_000 } } });
      const retries = [];
      session.on("retry", ({ error, ...detail }) => retries.push({ ...detail, delay: undefined, error: plain(error) }));
      const counts = { once: 0, throwing: 0, late: 0 };
      const off = session.on("part", () => { counts.once += 1; off(); });
      session.on("state", () => { counts.throwing += 1; throw new Error("of a listener"); });
      session.on("state", ({ state }) => {
        if (state === "uploading") for (let twice = 0; twice < 2; twice += 1) session.on("part", ({ state }) => { if (state === "done") counts.late += 1; });
      });
      const uploaded = await session.start();
      return { retries, counts, uploaded, digest: await sha1Digest(file()) };
    });
    await assertStored(uploaded);
    assert.deepEqual(retries.map(({ operation, partNumber, attempt }) => [operation, partNumber, attempt]), [["upload", 2, 1]]);
    assert.deepEqual([retries[0].error.isUploadError, retries[0].error.code, retries[0].error.status], [true, "server_error", 503]);
    assert.deepEqual(counts, { once: 1, throwing: 4, late: 2 * partsOf(shared.file, PART_SIZE) });
    assert.equal(digest, `sha=${Buffer.from(shared.file.sha1, "hex").toString("base64")}`);
  });

  test(`${browser}: a worker that cannot be loaded is told, and init() may be called again`, async () => {
    await shared.open("unloaded", { init: false });
    const seen = await run(async () => {
      const thrown = await end(init(undefined, { worker: () => { throw new DOMException("no workers here", "SecurityError"); } }));
      const missing = await end(init(undefined, { worker: () => new Worker("/no-such-script.js", { type: "module" }) }));
      const early = await end(new UploadSession(file(), options).start());
      await init();
      return { thrown, missing, early, uploaded: await new UploadSession(file(), options).start() };
    });
    for (const { error } of [seen.thrown, seen.missing, seen.early]) assert.deepEqual([error.isUploadError, error.code], [true, "worker"]);
    await assertStored(seen.uploaded);
  });

  test(`${browser}: a worker that ends rejects what waits for it, and the upload can be gone on with`, async () => {
    const worker = `() => new Worker("/mortal.js", { type: "module" })`;
    await shared.open("ended", { init: `await init(undefined, { worker: ${worker} })` });
    await shared.emulator.settings("ended", SLOW);
    const seen = await run(async () => {
      const session = new UploadSession(file(), options);
      const states = watch(session);
      const ended = end(session.start());
      await until(session, "part", ({ state }) => state === "done");
      session.pause();
      const { error } = await ended;
      const aborting = await end(session.abort());
      const later = await end(new UploadSession(file(), options).start());
      return { error, state: session.state, last: states.at(-1), aborting, later };
    });
    assert.deepEqual([seen.error.isUploadError, seen.error.code, seen.error.retryable], [true, "worker", true]);
    assert.match(seen.error.message, /an end for the test/);
    assert.deepEqual([seen.state, seen.last], ["failed", "failed"]);
    assert.deepEqual([seen.aborting.error.code, seen.later.error.code], ["worker", "worker"]);
    await shared.waitForStats("ended", (stats) => stats.uploads_in_flight === 0);
    await shared.emulator.settings("ended", FAST);
    const uploaded = await run(async () => {
      await init();
      return (await UploadSession.resume(file(), options)).start();
    });
    await assertStored(uploaded);
    assert.equal((await shared.emulator.stats("ended")).requests.create, 1);
  });

  // Only there can a page ask for it.
  if (browser === "Chromium") {
    test(`${browser}: a session of which a page keeps the promise alone is not collected as garbage`, async () => {
      await shared.open("forgetful");
      await shared.emulator.settings("forgetful", SLOW);
      const uploaded = await run(async () => {
        const collecting = setInterval(() => gc(), 20);
        return new UploadSession(file(), { ...options, apiKey: () => "key" }).start().finally(() => clearInterval(collecting));
      });
      await assertStored(uploaded);
    });
  }
}
