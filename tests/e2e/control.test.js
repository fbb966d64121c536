// Pause, go on, abort, and all of it without a mouse, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Key } from "selenium-webdriver";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { screenshot, startChromium } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startChromium, { name: "half-way.bin", mib: 64 });
/** Slow enough to be met half way, in bytes per second. */
const SLOW = { rate: 10_000_000 };
const FAST = { rate: null };

async function halfWay(query) {
  const page = await shared.open(query);
  await page.emulator.settings(page.consumerId, SLOW);
  const [card] = await page.pick(shared.file);
  await card.waitForParts(2);
  return { page, card };
}

/** Asserts that nothing reaches the emulator any more, however often one looks. */
async function assertTrafficStopped(page) {
  const stopped = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
  for (let look = 0; look < 10; look += 1) {
    await page.frames(6);
    assert.deepEqual(await page.stats(), stopped);
  }
  return stopped;
}

test("pause stops the traffic, resume goes on and the copy is byte-exact", async () => {
  const { page, card } = await halfWay("?service=box");
  assert.deepEqual(await card.buttons(), ["pause", "abort"]);
  await card.click("pause");
  await card.waitFor("paused");
  assert.deepEqual(await card.buttons(), ["resume", "abort"]);
  await page.frames(2);
  assert.deepEqual([await card.text("speed"), await card.text("time-left")], ["–", "–"]);
  const stopped = await assertTrafficStopped(page);
  assert.ok(stopped.parts_accepted < partsOf(shared.file));
  assert.equal(stopped.sessions_open, 1);
  await screenshot(shared.driver, "paused");

  await page.emulator.settings(page.consumerId, FAST);
  await card.click("resume");
  await assertByteExact(card, shared.file);
  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file));
  assert.equal(stats.requests.create, 1);
  assert.deepEqual(await card.buttons(), ["remove"]);
});

for (const service of ["box", "google-drive"]) {
  test(`abort deletes the session on ${service} and leaves nothing in flight`, async () => {
    const { page, card } = await halfWay(`?service=${service}`);
    await card.click("abort");
    await card.waitFor("aborted");
    await card.waitForDeletion();
    assert.deepEqual(await page.emulator.sessions(page.consumerId), []);
    const stopped = await assertTrafficStopped(page);
    assert.equal(stopped.sessions_open, 0);
    assert.equal(stopped.requests.delete, 1);
    assert.equal(stopped.requests.finish, 0);
    assert.deepEqual(await card.buttons(), ["retry", "remove"]);
    assert.equal(await card.part("result").isDisplayed(), false);
    const counts = await Promise.all(["waiting", "done"].map((state) => card.partsIn(state)));
    assert.equal(counts[0] + counts[1], partsOf(shared.file), "no part is shown as under way");
  });
}

test("a deletion that takes long is told, and Retry does not wait for it", async () => {
  const { page, card } = await halfWay("?service=box");
  await page.emulator.faults(page.consumerId, [{ operation: "delete", times: 1, fault: { kind: "stall", when: "before_body" } }]);
  await card.click("abort");
  await card.waitFor("aborted");
  assert.equal(await card.text("deleting"), "Deleting the session…");
  assert.deepEqual(await card.buttons(), ["retry", "remove"]);
  await page.emulator.settings(page.consumerId, FAST);
  await card.click("retry");
  await assertByteExact(card, shared.file);
  assert.equal(await card.part("deleting").isDisplayed(), false);
  assert.equal((await page.stats()).requests.create, 2);
});

test("Remove takes a card away at once, and its session is deleted behind it", async () => {
  const { page, card } = await halfWay("?service=box");
  // It takes more than one attempt, so that the card is gone before the session is.
  await page.emulator.faults(page.consumerId, [{ operation: "delete", times: 2, fault: { kind: "status", status: 503 } }]);
  await card.click("abort");
  await card.waitFor("aborted");
  await card.click("remove");
  assert.equal((await shared.driver.findElements({ css: '[data-testid="card"]' })).length, 0);
  await page.waitForStats((stats) => stats.sessions_open === 0, "the session gone");
});

test("an upload is run with the keyboard alone", async () => {
  const { page, card } = await halfWay("?service=dropbox");
  const press = (key) => shared.driver.actions().sendKeys(key).perform();
  const focused = () => shared.driver.switchTo().activeElement().getAttribute("data-testid");
  const tabTo = async (testId) => {
    for (let presses = 0; presses < 40 && (await focused()) !== testId; presses += 1) await press(Key.TAB);
    assert.equal(await focused(), testId, "reached with the tab key");
  };

  await tabTo("pause");
  await press(Key.SPACE);
  await card.waitFor("paused");
  assert.equal(await focused(), "resume", "the focus follows the button that took its place");
  await press(Key.ENTER);
  await card.waitFor("uploading");
  await tabTo("abort");
  await press(Key.ENTER);
  await card.waitFor("aborted");
  assert.equal(await focused(), "retry");
  await page.emulator.settings(page.consumerId, FAST);
  await press(Key.ENTER);
  await assertByteExact(card, shared.file);
  await tabTo("remove");
  await press(Key.ENTER);
  assert.equal((await shared.driver.findElements({ css: '[data-testid="card"]' })).length, 0);
  assert.equal(await shared.driver.switchTo().activeElement().getAttribute("id"), "file-input");
});

test("assistive technology is told name, progress and changes of state", async () => {
  const { page, card } = await halfWay("?service=box");
  const bar = card.part("progressbar");
  const value = async () => Number(await bar.getAttribute("aria-valuenow"));
  assert.equal(await bar.getAriaRole(), "progressbar");
  assert.equal(await bar.getAccessibleName(), shared.file.name);
  assert.equal(await bar.getAttribute("aria-valuemin"), "0");
  assert.equal(await bar.getAttribute("aria-valuemax"), "100");
  const before = await value();
  assert.ok(before > 0 && before < 100, String(before));
  assert.match(await bar.getAttribute("aria-valuetext"), /^\d+ %, .+ of .+$/);
  assert.match(await card.part("tiles").getAttribute("aria-label"), /^\d+ parts? of 9 done$/);

  await card.click("pause");
  await page.waitForAnnouncement(/half-way\.bin: Paused\./);
  await page.emulator.settings(page.consumerId, FAST);
  await card.click("resume");
  await card.verdict();
  await page.waitForAnnouncement(/half-way\.bin: Uploaded\. Byte for byte the same\./);
  assert.equal(await value(), 100);
});
