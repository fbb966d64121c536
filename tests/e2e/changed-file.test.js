// A file that changes on disk while it is uploaded, in every way that it can: `file_changed` each time, in words, in
// both browsers. Firefox tells nothing of this by itself.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHANGES } from "./changed-file.js";
import { assertByteExact } from "./assertions.js";
import { screenshot, startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

/** Slow enough to be met half way, in bytes per second. */
const SLOW = { rate: 10_000_000 };
const FAST = { rate: null };

/** Picks a file of its own, and waits until some of it is sent and some is not. */
async function halfWay(shared, query, name, mib = 40) {
  const page = await shared.open(query);
  await page.emulator.settings(page.consumerId, SLOW);
  const file = await shared.folder.file(name, mib);
  const [card] = await page.pick(file);
  await card.waitForParts(1);
  const stats = await page.stats();
  assert.equal(stats.requests.finish, 0, "half way");
  return { page, card, file };
}

/** Asserts that the upload ends, that the page says why, and that the other side holds no file. */
async function assertChanged(page, card) {
  await page.emulator.settings(page.consumerId, FAST);
  await card.waitFor("failed");
  assert.equal(await card.data("code"), "file_changed");
  assert.match(await card.text("error-text"), /changed.+Pick it again\./);
  assert.equal(await card.part("result").isDisplayed(), false);
  const stats = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
  assert.equal(stats.requests.finish, 0);
  assert.deepEqual(await page.emulator.files(page.consumerId), []);
}

for (const [browser, start] of [["Chromium", startChromium], ["Firefox", startFirefox]]) {
  describe(browser, () => {
    const shared = useBrowser(start, { name: "steady.bin", mib: 24 });

    for (const [how, change] of Object.entries(CHANGES)) {
      test(`${browser}: a file that is ${how} while it is sent ends as file_changed`, async () => {
        const { page, card, file } = await halfWay(shared, "?service=box", `${how}.bin`.replaceAll(" ", "-"));
        await change(file, shared.folder);
        await assertChanged(page, card);
        if (how === "deleted") await screenshot(shared.driver, `file-changed-${browser}`);
      });

      test(`${browser}: a file that is ${how} while its upload is paused ends as file_changed`, async () => {
        const { page, card, file } = await halfWay(shared, "?service=google-drive", `${how}-paused.bin`.replaceAll(" ", "-"));
        await card.click("pause");
        await card.waitFor("paused");
        await change(file, shared.folder);
        await card.click("resume");
        await assertChanged(page, card);
      });
    }

    test(`${browser}: a file that does not change is not said to have changed, though its neighbours do`, async () => {
      const page = await shared.open("?service=box");
      const neighbour = await shared.folder.file("neighbour.bin", 1);
      const [card] = await page.pick(shared.file);
      await CHANGES.deleted(neighbour);
      await assertByteExact(card, shared.file);
    });
  });
}
