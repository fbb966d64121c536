// Whole uploads in Chromium, through the page's own file input.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact, assertEveryPartDigested, partsOf, storedParts } from "./assertions.js";
import { LARGE_MIB, screenshot, startChromium } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startChromium, { name: "large.bin", mib: LARGE_MIB });

const PART_SIZE = 4_194_304;

test("a large file goes to Box in four parallel streams where that is faster, every part with its digest", async () => {
  const page = await shared.open("?service=box");
  // A server that takes its time for each request: with one or two parts in flight the link would stand idle.
  await page.emulator.settings(page.consumerId, { part_size: PART_SIZE, latency_ms: 400 });
  const [card] = await page.pick(shared.file);
  await card.waitForParts(Math.floor(partsOf(shared.file, PART_SIZE) / 2));
  assert.match(await card.text("in-flight"), /^[1-4] \(limit 4\)$/);
  await screenshot(shared.driver, "box-half-way");
  await assertByteExact(card, shared.file);
  await screenshot(shared.driver, "box-done");

  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file, PART_SIZE));
  assert.equal(stats.peak_parallel_uploads, 4);
  assert.equal(stats.uploads_in_flight, 0);
  assert.equal(stats.sessions_open, 0);
  assert.equal(stats.requests.finish, 1);
  const linearMemory = await shared.driver.executeAsyncScript((done) => {
    import("/pkg/index.js").then(({ default: init }) => init()).then(({ memory }) => done(memory.buffer.byteLength));
  });
  assert.ok(linearMemory < 8 * 1024 * 1024, `the module holds ${linearMemory} bytes`);
  const problems = await shared.driver.manage().logs().get("browser");
  assert.deepEqual(problems.map((entry) => entry.message), []);
});

test("a large file goes to Google Drive in order, one part at a time", async () => {
  const page = await shared.open("?service=google-drive");
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);

  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file));
  assert.equal(stats.peak_parallel_uploads, 1);
  const order = storedParts(stats).map((part) => part.part_number);
  assert.deepEqual(order, Array.from({ length: partsOf(shared.file) }, (_, part) => part));
});

test("several files run at once, and more can be added meanwhile", async () => {
  const files = await Promise.all(["one.bin", "two.bin", "three.bin"].map((name) => shared.folder.file(name, 24)));
  const page = await shared.open("?service=dropbox");
  await page.emulator.settings(page.consumerId, { part_size: 1_000_000, rate: 10_000_000 });
  const firstBatch = await page.pick(files[0], files[1]);
  await Promise.all(firstBatch.map((card) => card.waitForParts(1)));
  const states = await Promise.all(firstBatch.map((card) => card.data("state")));
  assert.deepEqual(states, ["uploading", "uploading"]);
  const secondBatch = await page.pick(files[2]);
  await screenshot(shared.driver, "several-files");
  await page.emulator.settings(page.consumerId, { rate: null });

  const cards = [...firstBatch, ...secondBatch];
  for (const [index, card] of cards.entries()) await assertByteExact(card, files[index]);
  assert.equal(new Set(await Promise.all(cards.map((card) => card.data("file-id")))).size, files.length);
});

test("a file dropped on the page is uploaded, to the storage chosen with a click", async () => {
  const page = await shared.open();
  await page.element("service-onedrive").click();
  await shared.driver.executeScript(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["dropped"], "dropped.txt"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  });
  const card = await page.card("dropped.txt");
  assert.equal(await card.verdict(), "equal");
  const copy = await page.emulator.fileInfo(await card.data("file-id"));
  assert.equal(copy.size, "dropped".length);
  assert.deepEqual((await page.stats()).log.map((entry) => entry.operation), ["direct"], "a small file goes in one request");
  await page.reload();
  assert.ok(await page.element("service-onedrive").isSelected(), "the choice is remembered");
});

test("an empty file arrives as an empty file", async () => {
  const page = await shared.open("?service=dropbox");
  const [card] = await page.pick(await shared.folder.emptyFile("empty.txt"));
  assert.equal(await card.verdict(), "equal");
  assert.equal((await page.emulator.fileInfo(await card.data("file-id"))).size, 0);
  assert.equal(await card.text("amount"), "0 B of 0 B (100 %)");
});

test("presets of the address that are not allowed are told, and left aside", async () => {
  await shared.open();
  await shared.driver.executeScript("localStorage.clear()");
  const page = await shared.open("?service=floppy&concurrency=99&body=dropbox&transport=pigeon");
  const notices = await page.element("notices").getText();
  for (const name of ["service “floppy”", "concurrency “99”", "body “dropbox”", "transport “pigeon”"]) assert.ok(notices.includes(name), notices);
  assert.ok(await page.element("service-dropbox").isSelected());
});
