// Going on after a reload: from the parts that the server holds, and only where it is the same file.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact, assertResumed, partsOf } from "./assertions.js";
import { screenshot, startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

/** Slow enough to be met half way, in bytes per second. */
const SLOW = { rate: 12_000_000 };
const FAST = { rate: null };

for (const [browser, start] of [["Chromium", startChromium], ["Firefox", startFirefox]]) {
  const shared = useBrowser(start, { name: `${browser}.bin`, mib: 48 });

  /** Begins an upload, and reloads the page in the middle of it. */
  async function leaveOff(query) {
    const page = await shared.open(query);
    await page.emulator.settings(page.consumerId, SLOW);
    const [card] = await page.pick(shared.file);
    await card.waitForParts(2);
    await page.reload();
    const before = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
    assert.equal(before.sessions_open, 1);
    await page.emulator.settings(page.consumerId, FAST);
    return { page, before, record: await page.record() };
  }

  for (const service of ["box", "google-drive"]) {
    test(`${browser}: after a reload the same file, picked again, goes on from the confirmed parts on ${service}`, async () => {
      const { page, before, record } = await leaveOff(`?service=${service}`);
      const entry = await page.unfinished(shared.file.name);
      assert.match(await entry.text("unfinished-amount"), /^\S+ MB of 50\.3 MB \(\d+ %\)$/);
      assert.equal(await entry.text("unfinished-when"), "just now");
      await screenshot(shared.driver, `${browser}-unfinished-${service}`);

      const [card] = await page.pick(shared.file);
      await assertByteExact(card, shared.file);
      await assertResumed(card, { before, record });
      assert.match(await card.text("note"), /^Goes on where it was left off: \d parts? of 7/);
      await screenshot(shared.driver, `${browser}-resumed-${service}`);
      await page.waitForUnfinished(0);
      assert.deepEqual(await page.record(), undefined, "what is done is forgotten");
    });
  }

  test(`${browser}: Go on refuses another file in words, and goes on with the right one`, async () => {
    const other = await shared.folder.file(`other-${browser}.bin`, 48);
    const { page, before, record } = await leaveOff("?service=dropbox");
    const refused = await (await page.unfinished(shared.file.name)).goOn(other);
    await refused.waitFor("failed");
    await page.waitForAnnouncement(/Failed\. This is not the file/);
    assert.equal(await refused.data("code"), "file_changed");
    assert.match(await refused.text("error-text"), /not the file whose upload was left off.*Pick it again/);
    assert.deepEqual(await refused.buttons(), ["remove"]);
    await screenshot(shared.driver, `${browser}-wrong-file`);
    await refused.click("remove");
    assert.deepEqual((await page.stats()).requests.delete, 0, "the upload of the right file stays");

    const card = await (await page.unfinished(shared.file.name)).goOn(shared.file);
    await assertByteExact(card, shared.file);
    await assertResumed(card, { before, record });
  });

  test(`${browser}: Discard deletes the session on the server, and the record`, async () => {
    const { page } = await leaveOff("?service=box");
    const entry = await page.unfinished(shared.file.name);
    await entry.part("discard").click();
    await page.waitForUnfinished(0);
    assert.equal(await page.element("unfinished").isDisplayed(), false);
    await page.waitForAnnouncement(/discarded\./);
    assert.deepEqual(await page.emulator.sessions(page.consumerId), []);
    assert.equal(await page.record(), undefined);
    assert.equal((await page.stats()).requests.delete, 1);
    assert.equal(await shared.driver.switchTo().activeElement().getAttribute("id"), "file-input");
  });

  test(`${browser}: where the server no longer has it, the upload begins anew and says so`, async () => {
    const { page } = await leaveOff("?service=dropbox");
    await page.emulator.faults(page.consumerId, [{ operation: "get", fault: { kind: "expire" } }]);
    const card = await (await page.unfinished(shared.file.name)).goOn(shared.file);
    await assertByteExact(card, shared.file);
    assert.match(await card.text("note"), /no longer has what was sent before: the upload begins anew/);
    assert.equal(await card.data("resumed"), null);
    const stats = await page.stats();
    assert.equal(stats.requests.create, 2);
    assert.equal(stats.sessions_open, 0);
  });
}
