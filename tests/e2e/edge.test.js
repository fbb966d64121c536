// The page as the upload edge serves it: whole uploads with the browser's every byte recorded, and no key among them.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { startEdge, startRecorder } from "./edge.js";
import { EDGE_MIB, makeFolder, screenshot, startChromium, startEmulator, startFirefox } from "./harness.js";
import { DemoPage } from "./page.js";

const FIREFOX_MIB = Math.min(EDGE_MIB, 100);
const API_KEY = `sk_live_${randomBytes(16).toString("hex")}`;
const PROFILES = { box: 8_388_608, dropbox: 8_388_608, "google-drive": 8_388_608, onedrive: 10_485_760, sharepoint: 10_485_760 };

const NEEDLES = {
  key: API_KEY,
  preflight: "OPTIONS /",
  authorization: "\r\nauthorization:",
  app: "x-apideck-app-id",
  consumer: "x-apideck-consumer-id",
  part: "PUT /file-storage/upload-sessions/",
  login: "session=",
  session: '"parallel_upload_supported":',
};

let folder, emulator, edge, file;
const started = [];

before(async () => {
  folder = await makeFolder();
  started.push(folder.remove);
  file = await folder.file("large.bin", EDGE_MIB);
  emulator = await startEmulator();
  started.push(emulator.stop);
  edge = await startEdge(emulator, API_KEY);
  started.push(edge.stop);
});

after(async () => {
  for (const end of started.reverse()) await end();
});

/** Runs a test with the page of the edge in a browser, signed in, with a recorder between the two. */
async function withPage(startBrowser, query, run) {
  const recorder = await startRecorder(edge.address, NEEDLES);
  const driver = await startBrowser();
  try {
    const page = await DemoPage.openAtEdge(driver, emulator, recorder.address, query);
    await run(page, recorder);
  } finally {
    await driver.quit();
    await recorder.stop();
    // The copies of such files would fill the disk.
    await emulator.reset();
  }
}

/** Uploads a file, and asserts that it arrived whole and that no secret was ever in the browser's reach. */
async function assertUploads(page, recorder, upload, partSize) {
  const [card] = await page.pick(upload);
  await assertByteExact(card, upload);
  const stats = await page.stats();
  const parts = partsOf(upload, partSize);
  assertEveryPartDigested(stats, parts);
  assert.equal(stats.sessions_open, 0);
  const { sent, received } = recorder;
  // The recorder has seen it all, so that what it has not seen was not there.
  assert.ok(sent.bytes > upload.size, `only ${sent.bytes} bytes were recorded`);
  assert.ok(sent.counts.part >= parts, `${sent.counts.part} parts were sent`);
  assert.ok(received.counts.session >= 1, "answers can be read on the wire");
  assert.ok(sent.counts.login >= parts);
  assert.deepEqual([sent.counts.key, received.counts.key], [0, 0], "the API key was on the wire");
  assert.equal(sent.counts.preflight, 0, "there were preflights");
  const { authorization, app, consumer } = sent.counts;
  assert.deepEqual({ authorization, app, consumer }, { authorization: 0, app: 0, consumer: 0 });
}

for (const [service, partSize] of Object.entries(PROFILES)) {
  test(`a large file goes through the edge to ${service}, byte for byte, without a key and without preflights`, async () => {
    await withPage(startChromium, `?service=${service}`, async (page, recorder) => {
      await assertUploads(page, recorder, file, partSize);
      await screenshot(page.driver, `edge-${service}`);
    });
  });
}

test("Firefox uploads through the edge, byte for byte, without a key and without preflights", async () => {
  const upload = await folder.file("firefox.bin", FIREFOX_MIB);
  await withPage(startFirefox, "?service=box", (page, recorder) => assertUploads(page, recorder, upload));
});

test("whoever is not signed in can upload nothing", async () => {
  const driver = await startChromium();
  try {
    await driver.get(`${edge.address}/?service=dropbox`);
    const page = new DemoPage(driver, emulator, undefined);
    assert.match(await page.waitForAccount(), /Nobody is signed in/);
    assert.ok(!(await driver.findElement({ id: "file-input" }).isEnabled()));
    await screenshot(driver, "edge-signed-out");
  } finally {
    await driver.quit();
  }
});

test("an upload survives what the visitor breaks behind the edge, and a reload; another visitor sees none of it", async () => {
  const small = await folder.file("small.bin", 24);
  await withPage(startChromium, "?service=dropbox", async (page) => {
    await emulator.settings(page.consumerId, { part_size: 1_000_000, rate: 4_000_000 });
    await page.element("fault-server-error").click();
    const [card] = await page.pick(small);
    await card.waitForParts(6);
    await page.reload();
    const resumed = await (await page.unfinished(small.name)).goOn(small);
    await emulator.settings(page.consumerId, { rate: null });
    await assertByteExact(resumed, small);
    const stats = await page.stats();
    assert.equal(stats.requests.create, 1, "the session that was signed before the reload is still good");
    assert.ok(stats.retries >= 3, `${stats.retries} retries`);

    const fileId = await resumed.data("file-id");
    const download = () => page.driver.executeAsyncScript((id, done) => fetch(`/_emulator/files/${id}`).then((answer) => done(answer.status)), fileId);
    assert.equal(await download(), 200);
    await page.changeVisitor();
    assert.equal(await download(), 404);
  });
});
