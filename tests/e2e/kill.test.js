// A browser that is killed, again and again, in the middle of one upload: what the server had acknowledged is neither
// sent nor hashed again, and the copy is byte-exact.
//
//   UPLOAD_E2E_SEED=1 node --test kill.test.js     (the kills of an earlier run, whose seed it printed)

import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertByteExact, bytesOfParts, partsOf, sentAgain } from "./assertions.js";
import { makeFolder, startChromium, startEmulator, startFirefox } from "./harness.js";
import { browserProcesses, kill } from "./processes.js";
import { DemoPage } from "./page.js";

const SEED = Number(process.env.UPLOAD_E2E_SEED ?? randomInt(1_000_000_000));
const PART_SIZE = 8_388_608;
const CONCURRENCY = 4;
/** Bytes per second: the kills are to meet it, and the test is to end. */
const RATE = 40_000_000;
/** Longest that a kill comes after the part it waited for, in milliseconds: about as long as a part takes. */
const LONGEST_DELAY_MS = 400;
/** So many parts are left to the last visit at least: the upload must not end before the last kill comes. */
const LAST_PARTS = 8;
/** The file is looked at, a little, to know it and to see that it is still there: reads up to this size are no hashing. */
const LOOK_BYTES = 65_536;

let folder, emulator, file;

before(async () => {
  folder = await makeFolder();
  emulator = await startEmulator();
});

after(async () => {
  await emulator?.stop();
  await folder?.remove();
});

const BROWSERS = {
  Chromium: (profile) => startChromium(`--user-data-dir=${profile}`),
  Firefox: (profile) => startFirefox({ browserArguments: ["-profile", profile] }),
};

for (const { browser, mib, kills } of [{ browser: "Chromium", mib: 300, kills: 10 }, { browser: "Firefox", mib: 100, kills: 3 }]) {
  test(`${browser}: an upload survives ${kills} kills of the browser, and no acknowledged byte is sent again`, async (t) => {
    t.diagnostic(`UPLOAD_E2E_SEED=${SEED}`);
    const random = randomNumbers(SEED);
    file = await folder.file(`${browser}.bin`, mib);
    const profile = path.join(folder.path, `${browser}-profile`);
    await mkdir(profile);
    const upload = { profile, consumerId: `kill-${randomUUID()}`, start: BROWSERS[browser] };
    await emulator.settings(upload.consumerId, { rate: RATE });

    const moments = Array.from({ length: kills }, () => 1 + random() * (partsOf(file) - LAST_PARTS)).sort((one, other) => one - other);
    let inFlight = 0;
    for (const moment of moments) {
      const delay = (moment % 1) * LONGEST_DELAY_MS;
      inFlight += await visit(upload, async ({ driver, page }) => {
        await page.waitForStats((stats) => stats.parts_accepted >= Math.floor(moment), `part ${moment}`);
        await sleep(delay);
        const reads = await hashedRanges(driver);
        await kill(await browserProcesses(driver));
        return reads;
      });
    }
    inFlight += await visit(upload, async ({ driver, card }) => {
      await assertByteExact(card, file);
      return hashedRanges(driver);
    });

    const stats = await emulator.stats(upload.consumerId);
    assert.ok(inFlight <= kills * CONCURRENCY, `${inFlight} parts in flight at ${kills} kills`);
    const most = file.size + inFlight * PART_SIZE;
    const sent = bytesOfParts(stats.log);
    assert.ok(sent <= most, `${sent} bytes sent, and ${most} are allowed: ${JSON.stringify(sentTwice(stats))}`);
    t.diagnostic(`${sent - file.size} bytes were sent more than once, for ${inFlight} parts in flight at the kills`);
    assert.equal(stats.requests.create, 1);
    assert.equal(stats.sessions_open, 0);
  });
}

/**
 * Starts the browser, begins the upload or goes on with it, and lives through what `live` does with it, which returns
 * the ranges that were hashed. Asserts that nothing was sent or hashed that was acknowledged before; returns how many
 * parts had been in flight when the visit before ended.
 */
async function visit({ profile, consumerId, start }, live) {
  const driver = await start(profile);
  try {
    const page = await DemoPage.open(driver, emulator, "?service=box", consumerId);
    await driver.executeScript(recordReads);
    const record = (await page.record()) ?? { acknowledged: new Set() };
    const before = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
    const begun = new Set(before.log.filter(({ operation }) => operation === "upload").map((entry) => entry.part_number));
    const card = await (record.snapshot ? (await page.unfinished(file.name)).goOn(file) : page.pick(file).then(([card]) => card));

    const reads = await live({ driver, page, card });
    const after = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
    const hashed = reads.flatMap(partsIn);
    assert.deepEqual(sentAgain(after.log.slice(before.log.length), record), [], "sent again");
    // Firefox does not tell when a file changes: there the whole of it is read once more in the end.
    if (start === BROWSERS.Chromium) assert.deepEqual(hashed.filter((part) => record.acknowledged.has(part)), [], "hashed again");
    return [...begun].filter((part) => !record.acknowledged.has(part)).length;
  } finally {
    // A browser that was killed cannot be asked to quit, but its driver can.
    await driver.quit().catch(() => {});
  }
}

/** The attempts at parts that took more than one, for whoever reads of a failure. */
function sentTwice({ log }) {
  const uploads = log.filter(({ operation }) => operation === "upload");
  const isRepeated = ({ part_number: part }) => uploads.filter((entry) => entry.part_number === part).length > 1;
  return uploads.filter(isRepeated).map(({ part_number: part, status, bytes, at_ms: from, end_ms: to }) => ({ part, status, bytes, from, to }));
}

/** Runs in the page: notes what is read of a file, by any of a blob's own methods; of a stream what came of it so far. */
function recordReads() {
  const { slice, stream, arrayBuffer } = Blob.prototype;
  const { getReader } = ReadableStream.prototype;
  const ranges = new WeakMap();
  const starts = new WeakMap();
  const rangeOf = (blob) => ranges.get(blob) ?? [0, blob.size];
  window.reads = [];
  Blob.prototype.slice = function (start = 0, end = this.size, type) {
    const piece = slice.call(this, start, end, type);
    const [first] = rangeOf(this);
    ranges.set(piece, [first + start, first + start + piece.size]);
    return piece;
  };
  Blob.prototype.stream = function () {
    const made = stream.call(this);
    starts.set(made, rangeOf(this)[0]);
    return made;
  };
  ReadableStream.prototype.getReader = function (...mode) {
    const reader = getReader.apply(this, mode);
    const start = starts.get(this);
    if (start === undefined) return reader;
    const range = [start, start];
    window.reads.push(range);
    reader.read = async (...room) => {
      const result = await Object.getPrototypeOf(reader).read.apply(reader, room);
      range[1] += result.value?.length ?? 0;
      return result;
    };
    return reader;
  };
  Blob.prototype.arrayBuffer = function () {
    window.reads.push(rangeOf(this));
    return arrayBuffer.call(this);
  };
}

/** The ranges of the file that were hashed since the page was loaded, but for the comparison of both ends at the end. */
async function hashedRanges(driver) {
  const reads = await driver.executeScript("return window.reads");
  return reads.filter(([start, end]) => end - start > LOOK_BYTES && end - start < file.size);
}

/** The parts that a range of the file has bytes of. */
function partsIn([start, end]) {
  const first = Math.floor(start / PART_SIZE);
  return Array.from({ length: Math.ceil(end / PART_SIZE) - first }, (_, index) => first + index);
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
