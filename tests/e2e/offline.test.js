// The network goes away in the middle, for twenty seconds, and comes back.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { screenshot, startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const OUTAGE_MS = 20_000;
const LOOK_MS = 500;
const SLOW = { rate: 10_000_000 };

/** How each browser is told that there is no network: `navigator.onLine`, its events, and its requests. */
const BROWSERS = {
  Chromium: {
    start: startChromium,
    setOnline: (driver, online) =>
      driver.setNetworkConditions({ offline: !online, latency: 0, download_throughput: -1, upload_throughput: -1 }),
  },
  Firefox: {
    start: () => startFirefox({ driverArguments: ["--allow-system-access"] }),
    async setOnline(driver, online) {
      await driver.setContext("chrome");
      await driver.executeScript("Services.io.offline = arguments[0]", !online);
      await driver.setContext("content");
    },
  },
};

// Most of it is waiting, which both browsers can do at once.
describe("twenty seconds in a tunnel", { concurrency: true }, () => {
  for (const [browser, { start, setOnline }] of Object.entries(BROWSERS)) testOutage(browser, start, setOnline);
});

function testOutage(browser, start, setOnline) {
  const shared = useBrowser(start, { name: `${browser}-tunnel.bin`, mib: 48 });

  test(`${browser}: without a network the upload waits, spends no attempt, and then goes on`, async () => {
    const page = await shared.open("?service=box");
    await page.emulator.settings(page.consumerId, SLOW);
    const [card] = await page.pick(shared.file);
    await card.waitForParts(2);
    await setOnline(shared.driver, false);
    await page.emulator.settings(page.consumerId, { unreachable: true });
    await card.waitFor("waiting");
    await page.waitForAnnouncement(/Offline: goes on by itself\./);
    assert.equal(await card.text("state"), "Offline: goes on by itself");
    assert.deepEqual(await card.buttons(), ["pause", "abort"]);
    await screenshot(shared.driver, `${browser}-offline`);

    const facts = async () => [await card.data("state"), await card.data("attempts"), await card.data("retries")];
    const stopped = await page.waitForStats((stats) => stats.uploads_in_flight === 0, "no upload in flight");
    for (let waited = 0; waited < OUTAGE_MS; waited += LOOK_MS) {
      assert.deepEqual(await facts(), ["waiting", "1", null]);
      await sleep(LOOK_MS);
    }
    assert.deepEqual((await page.stats()).requests, stopped.requests, "nothing is asked of the server");

    await page.emulator.settings(page.consumerId, { unreachable: null, rate: null });
    await setOnline(shared.driver, true);
    await assertByteExact(card, shared.file);
    assert.deepEqual(await facts(), ["done", "1", null]);
    assertEveryPartDigested(await page.stats(), partsOf(shared.file));
  });
}
