// One upload in two tabs: the second is refused while the first is alive, and takes over once it is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact, assertResumed } from "./assertions.js";
import { screenshot, startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const SLOW = { rate: 8_000_000 };
const FAST = { rate: null };

const close = (driver) => driver.close();
// The tab's process dies, as where memory runs out.
const crash = (driver) => driver.sendDevToolsCommand("Page.crash", {}).catch(() => {});

const chromium = useBrowser(startChromium, { name: "chromium.bin", mib: 48 });
const firefox = useBrowser(startFirefox, { name: "firefox.bin", mib: 48 });

for (const [browser, shared, end, how] of [
  ["Chromium", chromium, close, "closed"],
  ["Chromium", chromium, crash, "killed"],
  ["Firefox", firefox, close, "closed"],
]) {
  test(`${browser}: a second tab is refused in words, and takes over once the first was ${how}`, async () => {
    const first = await shared.open("?service=box");
    await first.emulator.settings(first.consumerId, SLOW);
    const [card] = await first.pick(shared.file);
    await card.waitForParts(1);
    const firstTab = await shared.driver.getWindowHandle();

    await shared.driver.switchTo().newWindow("tab");
    const secondTab = await shared.driver.getWindowHandle();
    const second = await shared.open("?service=box", first.consumerId);
    const [refused] = await second.pick(shared.file);
    await refused.waitFor("failed");
    await second.waitForAnnouncement(/Failed\. This file is already being uploaded in another tab\./);
    assert.equal(await refused.data("code"), "conflict");
    assert.match(await refused.text("error-text"), /already being uploaded in another tab/);
    assert.deepEqual(await refused.buttons(), ["retry", "remove"]);
    await screenshot(shared.driver, `${browser}-second-tab`);

    // Neither trying again nor letting it be does the first any harm.
    await refused.click("retry");
    await refused.waitFor("failed");
    await refused.click("remove");
    const entry = await second.unfinished(shared.file.name);
    await entry.part("discard").click();
    await second.waitForAnnouncement(/being uploaded in another tab: abort it there/);
    const stats = await second.stats();
    assert.equal(stats.requests.create, 1);
    assert.equal(stats.requests.delete, 0);

    await shared.driver.switchTo().window(firstTab);
    assert.equal(await card.data("state"), "uploading");
    await end(shared.driver);
    await shared.driver.switchTo().window(secondTab);
    const before = await second.waitForStats((now) => now.uploads_in_flight === 0, "no upload in flight");
    await second.emulator.settings(second.consumerId, FAST);
    const record = await second.record();
    const taken = await (await second.unfinished(shared.file.name)).goOn(shared.file);
    await assertByteExact(taken, shared.file);
    await assertResumed(taken, { before, record });
  });
}

test("Chromium: what was dropped is gone on with by one click, without picking, as long as the browser may read it", async () => {
  const first = await chromium.open("?service=box");
  await first.emulator.settings(first.consumerId, SLOW);
  const card = await first.dropFile(chromium.file);
  await card.waitForParts(1);
  assert.equal((await first.record()).hasHandle, true);
  const firstTab = await chromium.driver.getWindowHandle();
  await chromium.driver.switchTo().newWindow("tab");
  const secondTab = await chromium.driver.getWindowHandle();
  // Of all ways to keep the permission to read, the one without a question to the visitor: a tab that has the handle.
  const second = await chromium.open("?service=box", first.consumerId);
  const entry = await second.unfinished(chromium.file.name);
  await chromium.driver.switchTo().window(firstTab);
  await chromium.driver.close();
  await chromium.driver.switchTo().window(secondTab);
  const before = await second.waitForStats((now) => now.uploads_in_flight === 0, "no upload in flight");
  await second.emulator.settings(second.consumerId, FAST);
  const record = await second.record();
  assert.equal(await entry.part("go-on").getTagName(), "button");
  const taken = await entry.goOn(chromium.file);
  await assertByteExact(taken, chromium.file);
  await assertResumed(taken, { before, record });
});

test("Chromium: where the browser may not read what was dropped, the visitor is asked to pick it", async () => {
  const page = await chromium.open("?service=box");
  await page.emulator.settings(page.consumerId, SLOW);
  const card = await page.dropFile(chromium.file);
  await card.waitForParts(1);
  await page.reload();
  await page.emulator.settings(page.consumerId, FAST);
  // The browser's own question has no answer in a browser without a window, and a permission may outlive the page a little.
  await chromium.driver.executeScript(() => {
    FileSystemFileHandle.prototype.queryPermission = async () => "prompt";
    FileSystemFileHandle.prototype.requestPermission = async () => "denied";
  });
  const entry = await page.unfinished(chromium.file.name);
  await entry.part("go-on").click();
  await page.waitForAnnouncement(/cannot read chromium\.bin by itself.*Pick it to go on\./);
  assert.match(await entry.text("unfinished-note"), /Pick it to go on/);
  await screenshot(chromium.driver, "pick-it-again");
  const taken = await entry.goOn(chromium.file);
  await assertByteExact(taken, chromium.file);
  assert.notEqual(await taken.data("resumed"), null);
});
