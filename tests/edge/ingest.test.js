// Streams of known and of unknown size into sessions of every profile, in workerd and in Node.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ingest, init } from "upload-session/edge";

import { content, hash } from "./content.js";
import { startEmulator } from "./emulator.js";
import { run } from "./ingest.js";
import { children, memoryOf } from "./processes.js";
import { startRelay } from "./relay.js";
import { startWorker } from "./runtimes.js";

const PART = 8_388_608;
const MIB = 1_048_576;
const BIG = 500_000_000;
const PROFILES = ["box", "google-drive", "onedrive", "sharepoint", "dropbox"];

const sums = new Map();
const sha1 = (size) => sums.get(size) ?? sums.set(size, hash(createHash("sha1"), size)).get(size);

const RUNTIMES = {
  async workerd() {
    const worker = await startWorker("ingest-worker.js");
    const post = async (query, init) => (await fetch(worker.url + query, { method: "POST", ...init })).json();
    const send = (body, what) => post(`?${new URLSearchParams({ what: JSON.stringify(what) })}`, { body, duplex: "half" });
    return { run: (what) => post("", { body: JSON.stringify(what) }), send, stop: worker.stop };
  },
  async node() {
    await init(await readFile(fileURLToPath(import.meta.resolve("upload-session/edge.wasm"))));
    return { run: (what) => run(ingest, what), stop: () => {} };
  },
};

function* chunks(size) {
  for (let at = 0; at < size; at += 65_536) yield content(at, Math.min(at + 65_536, size));
}

let emulator;
let consumers = 0;
before(async () => {
  emulator = await startEmulator();
});
after(() => emulator?.stop());
// Some gigabytes are stored in all.
afterEach(() => emulator.reset());

for (const [name, start] of Object.entries(RUNTIMES)) {
  describe(`ingest, ${name}`, () => {
    let runtime;
    before(async () => {
      runtime = await start();
    });
    after(() => runtime?.stop());

    /** Runs an ingest as a consumer of its own; `prepare` is given its id before. */
    async function upload({ source, options, prepare, ...more }) {
      const consumerId = `${name}-${consumers++}`;
      await prepare?.(consumerId);
      const size = source?.size ?? null;
      const told = await runtime.run({
        source,
        options: { serverUrl: emulator.url, consumerId, serviceId: "box", size, ...options },
        ...more,
      });
      const sessions = await (await fetch(`${emulator.url}/_emulator/sessions?consumer_id=${consumerId}`)).json();
      return { ...told, stats: await emulator.stats(consumerId), sessions };
    }

    async function assertStored({ error, file, ...told }, size) {
      assert.equal(error, undefined);
      const info = await emulator.info(file.id);
      assert.deepEqual([info.size, info.sha1, info.name], [size, sha1(size), "a.bin"]);
      assert.deepEqual(told.sessions, []);
      assert.equal(told.cancelled, null);
    }

    /** The upload failed so, and left no session; `cancelled` tells whether the source was still there to be cancelled. */
    function assertFailed({ error, sessions, stats, ...told }, code, message, cancelled) {
      assert.equal(error?.isUploadError, true, JSON.stringify(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.deepEqual(sessions, []);
      assert.equal(stats.requests.finish, 0);
      assert.equal(told.cancelled !== null, cancelled);
    }

    for (const known of [true, false]) {
      const size = known ? BIG : null;
      test(`500 MB of ${known ? "known" : "unknown"} size arrive on box, with every digest right`, async () => {
        const told = await upload({ source: { size: BIG, bytes: known }, options: { size } });
        await assertStored(told, BIG);
        const parts = told.stats.log.filter(({ operation }) => operation === "upload");
        assert.equal(parts.length, Math.ceil(BIG / PART));
        assert.ok(parts.every(({ digest_ok: ok }) => ok === true));
        assert.equal(told.stats.log.find(({ operation }) => operation === "finish").digest_ok, true);
        const last = told.progress.at(-1);
        assert.deepEqual([last.total, last.confirmed, last.sent, last.hashed], [BIG, BIG, BIG, BIG]);
        assert.equal(told.progress[1].secondsRemaining === null || known, true);
      });
    }

    for (const serviceId of PROFILES) {
      test(`streams of known and of unknown size arrive on ${serviceId}`, async () => {
        for (const [size, known, more] of [[20_000_001, true, {}], [20_971_521, false, { bytes: true, chunk: 100_003 }]]) {
          const told = await upload({ source: { size, ...more }, options: { serviceId, size: known ? size : null } });
          await assertStored(told, size);
          assert.equal(told.stats.requests.direct, 0);
        }
      });
    }

    test("chunks of every size arrive, empty ones and huge ones too", async () => {
      for (const more of [{ chunk: 1, size: 20_001 }, { chunk: 7, size: 200_003, empties: true }, { chunk: MIB, size: 30_000_001 }]) {
        for (const known of [true, false]) {
          await assertStored(await upload({ source: more, options: { size: known ? more.size : null } }), more.size);
        }
      }
    });

    test("the body of another fetch arrives", async () => {
      const size = 25_000_000;
      const { file } = await upload({ source: { size } });
      for (const known of [true, false]) {
        const url = `${emulator.url}/_emulator/files/${file.id}`;
        await assertStored({ cancelled: null, ...(await upload({ source: { url }, options: { size: known ? size : null } })) }, size);
      }
    });

    if (name === "workerd") {
      test("500 MB that come in as a request go out within the memory that a Worker has", async (t) => {
        const others = await children("workerd");
        const { send, stop } = await start();
        t.after(stop);
        const [pid] = (await children("workerd")).filter((each) => !others.includes(each));
        // A small one first: what is compiled once is not counted.
        for (const size of [1000, BIG]) {
          const options = { serverUrl: emulator.url, consumerId: "memory", serviceId: "box", size: null };
          const { before, most } = await memoryOf(pid, async () => {
            await assertStored({ sessions: [], ...(await send(ReadableStream.from(chunks(size)), { options })) }, size);
          });
          assert.ok(most - before < 128 * MIB, `${most - before} bytes`);
        }
      });
    }

    test("a source that ends where a part ends makes no empty part", async () => {
      const prepare = (consumer_id) => emulator.settings({ consumer_id, part_size: MIB });
      for (const parts of [8, 24]) {
        const size = parts * MIB;
        const told = await upload({ source: { size }, options: { size: null, serviceId: "dropbox" }, prepare });
        await assertStored(told, size);
        assert.equal(told.stats.requests.upload, parts);
      }
    });

    test("small and empty streams go in one request, whether their size is told or not", async () => {
      const limits = [["box", 19_999_999], ["google-drive", 4_000_000], ["sharepoint", 0], ["box", 0]];
      for (const [serviceId, size] of limits) {
        for (const known of [true, false]) {
          const told = await upload({ source: { size }, options: { serviceId, size: known ? size : null } });
          await assertStored(told, size);
          assert.deepEqual([told.stats.requests.direct, told.stats.requests.create], [1, 0]);
        }
      }
    });

    test("without digests none is sent", async () => {
      const size = 20_000_003;
      const told = await upload({ source: { size }, options: { serviceId: "dropbox", digest: "none" } });
      await assertStored(told, size);
      assert.ok(told.stats.log.every(({ digest }) => !digest));
    });

    test("a source that fails in the middle leaves no session, and the error tells", async () => {
      for (const known of [true, false]) {
        const size = 50_000_000;
        const told = await upload({ source: { size, fails: 30_000_000 }, options: { size: known ? size : null } });
        assertFailed(told, "network", /The source failed after 3\d{7} bytes/, false);
        assert.deepEqual([told.error.cause.name, told.error.cause.message], ["RangeError", "the source broke"]);
        assert.deepEqual([told.error.retryable, told.stats.requests.delete], [true, 1]);
      }
      // While it is looked at, before there is a session.
      const told = await upload({ source: { size: 50_000_000, fails: 1_000_000 }, options: { size: null } });
      assertFailed(told, "network", /The source failed/, false);
      assert.equal(told.error.cause.message, "the source broke");
      assert.equal(told.stats.requests.create, 0);
    });

    test("a source with fewer or more bytes than it says is refused", async () => {
      const size = 30_000_000;
      const shorter = await upload({ source: { size }, options: { size: size + 1 } });
      assertFailed(shorter, "file_changed", /ended after 30000000 of the 30000001 bytes/, false);
      const longer = await upload({ source: { size }, options: { size: size - 1 } });
      assertFailed(longer, "file_changed", /more than the 29999999 bytes/, true);
      for (const serviceId of ["box", "dropbox"]) {
        const small = await upload({ source: { size: 1000 }, options: { serviceId, size: 999 } });
        assertFailed(small, "file_changed", /more than the 999 bytes/, true);
        assert.equal(small.stats.requests.direct, 0);
      }
    });

    test("a slow source arrives, and nothing is sent twice", async () => {
      const prepare = (consumer_id) => emulator.settings({ consumer_id, part_size: 262_144 });
      for (const known of [true, false]) {
        const size = 5_000_000;
        const options = { serviceId: "dropbox", size: known ? size : null };
        const told = await upload({ source: { size, slow: 5, chunk: 50_000 }, options, prepare });
        await assertStored(told, size);
        assert.equal(told.stats.retries, 0);
      }
    });

    test("parts that fail are sent again from memory", async () => {
      const size = 30_000_000;
      const prepare = async (consumer_id) => {
        await emulator.fault("upload", { kind: "reset", when: "mid_body" }, { consumer_id, part_number: 1 });
        await emulator.fault("upload", { kind: "status", status: 503 }, { consumer_id, part_number: 2, times: 2 });
        await emulator.fault("upload", { kind: "lost_answer" }, { consumer_id, part_number: 3 });
      };
      const told = await upload({ source: { size }, options: { size: null }, prepare });
      await assertStored(told, size);
      assert.equal(told.pulled, size);
    });

    test("a session that expires is the end", async () => {
      const prepare = (consumer_id) => emulator.fault("upload", { kind: "expire" }, { consumer_id, part_number: 2 });
      const told = await upload({ source: { size: 30_000_000 }, prepare });
      assertFailed(told, "session_expired", /./, true);
    });

    test("a part that does not fit into memory is refused, and the session deleted", async () => {
      const prepare = (consumer_id) => emulator.settings({ consumer_id, part_size: 100 * MIB });
      const size = 300_000_000;
      const refused = [{}, { size: null }, { size: null, digest: "none", serviceId: "dropbox" }];
      for (const options of refused) {
        const told = await upload({ source: { size }, options, prepare });
        assertFailed(told, "invalid_argument", /`memoryBudget` takes at least the 104857600 bytes that a part/, true);
        assert.deepEqual([told.stats.requests.upload, told.stats.requests.delete], [0, 1]);
        assert.ok(told.pulled < 21 * MIB);
      }
    });

    test("without digests a part that does not fit is passed on as it comes", async () => {
      const prepare = (consumer_id) => emulator.settings({ consumer_id, part_size: 100 * MIB, parallel: true });
      for (const more of [{}, { bytes: true, chunk: 100_003 }]) {
        const size = 250_000_000;
        const options = { serviceId: "dropbox", digest: "none" };
        const told = await upload({ source: { size, ...more }, options, prepare });
        await assertStored(told, size);
        assert.deepEqual([told.stats.requests.upload, told.stats.peak_parallel_uploads], [3, 1]);
      }
    });

    test("what is passed on has the length of a part", async () => {
      const relay = await startRelay(emulator.url);
      const size = 20_000_000;
      const options = { serviceId: "dropbox", digest: "none", memoryBudget: MIB, serverUrl: relay.url };
      await assertStored(await upload({ source: { size }, options }), size);
      const parts = relay.requests.filter(({ method }) => method === "PUT");
      assert.deepEqual(parts.map(({ headers }) => headers["content-length"]), ["8388608", "8388608", "3222784"]);
      assert.ok(parts.every(({ chunked }) => !chunked));
      await relay.stop();
    });

    test("what was passed on is not sent again", async () => {
      const size = 40_000_000;
      const options = { serviceId: "dropbox", digest: "none", memoryBudget: MIB };
      const prepare = (consumer_id) => emulator.fault("upload", { kind: "status", status: 503 }, { consumer_id, part_number: 1 });
      const told = await upload({ source: { size }, options, prepare });
      assertFailed(told, "server_error", /./, true);
      assert.deepEqual([told.error.partNumber, told.stats.requests.upload], [1, 2]);
      const broken = await upload({ source: { size, fails: 10_000_000 }, options });
      assertFailed(broken, "network", /The source failed after 1\d{7} bytes/, false);
      assert.equal(broken.error.cause.message, "the source broke");
      const shorter = await upload({ source: { size }, options: { ...options, size: size + 1 } });
      assertFailed(shorter, "file_changed", /ended after/, false);
    });

    test("an abort cancels the source and deletes the session", async () => {
      const size = 60_000_000;
      for (const at of [2_000_000, 40_000_000]) {
        for (const known of [true, false]) {
          const told = await upload({ source: { size }, options: { size: known ? size : null }, abort: { at } });
          assertFailed(told, "aborted", /aborted/, true);
          assert.equal(told.isReason, true);
          assert.ok(told.pulled < size);
        }
      }
    });

    test("an abort ends a source that gives nothing", async () => {
      for (const size of [60_000_000, null]) {
        const told = await upload({ source: { size: 60_000_000 }, options: { size }, abort: { beside: true } });
        assertFailed(told, "aborted", /aborted/, true);
        assert.deepEqual([told.cancelled.code, told.isReason], ["aborted", true]);
      }
    });

    test("a signal that is aborted already has nothing sent", async () => {
      for (const size of [60_000_000, null]) {
        const told = await upload({ source: { size: 60_000_000 }, options: { size }, abort: { before: true } });
        assertFailed(told, "aborted", /aborted/, true);
        assert.equal(told.cancelled.code, "aborted");
        assert.deepEqual([told.stats.requests.create, told.pulled], [0, 0]);
      }
    });

    test("no more is read of the source than memory may hold", async () => {
      const partSize = MIB;
      const size = 40 * MIB;
      for (const known of [true, false]) {
        let held;
        const prepare = async (consumer_id) => {
          held = `${emulator.url}/_emulator/stats?consumer_id=${consumer_id}`;
          await emulator.settings({ consumer_id, part_size: partSize, parallel: true });
        };
        const consumer = `${name}-${consumers}`;
        const source = { size, chunk: 262_144, partSize, held: `${emulator.url}/_emulator/stats?consumer_id=${consumer}` };
        const options = { serviceId: "dropbox", size: known ? size : null, memoryBudget: 3 * partSize };
        const told = await upload({ source, options, prepare });
        assert.equal(source.held, held);
        await assertStored(told, size);
        // A chunk more may be on its way.
        assert.ok(told.ahead > partSize && told.ahead <= 3 * partSize + 262_144, `${told.ahead} bytes ahead`);
      }
    });

    test("arguments that are off are refused before the source is touched", async () => {
      const off = [
        [{ name: "" }, "name"], [{ size: -1 }, "size"], [{ size: "1" }, "size"], [{ memoryBudget: 0 }, "memoryBudget"], [{ concurrency: 7 }, "concurrency"],
        [{ onProgress: 1 }, "onProgress"], [{ signal: {} }, "signal"], [{ serverUrl: "/here" }, "serverUrl"],
        ...["body", "transport", "store", "direct", "restart", "anything"].map((field) => [{ [field]: "none" }, field]),
      ];
      const missing = ["name", "size", "parentFolderId"].map((field) => [{}, field, field]);
      for (const [options, field, without] of [...off, ...missing]) {
        const told = await runtime.run({ source: { size: 10 }, options: { size: 10, ...options }, without });
        assert.equal(told.error?.code, "invalid_argument", field);
        assert.ok(told.error.message.includes(`\`${field}\``), told.error.message);
        assert.deepEqual([told.pulled, told.cancelled, told.locked], [0, null, false]);
      }
      for (const source of ["text", null, 5]) {
        const told = await runtime.run({ source, options: { size: 10, serverUrl: emulator.url } });
        assert.equal(told.error?.code, "invalid_argument");
        assert.match(told.error.message, /`source`/);
      }
    });

    test("a source that gives something else than bytes is refused", async () => {
      for (const known of [true, false]) {
        const size = 40_000_000;
        const told = await upload({ source: { size, gives: 30_000_000 }, options: { size: known ? size : null } });
        assertFailed(told, "invalid_argument", /`source` takes a stream of Uint8Array/, true);
      }
    });

    test("several go side by side", async () => {
      const size = 21_000_000;
      const all = [1, 2, 3, 4].map((index) => upload({ source: { size, slow: index % 2, chunk: MIB }, options: { size: index > 2 ? size : null } }));
      for (const told of await Promise.all(all)) await assertStored(told, size);
    });
  });
}
