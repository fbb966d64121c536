// The same page in Firefox.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { screenshot, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startFirefox, { name: "firefox.bin", mib: 48 });

const PART_SIZE = 2_097_152;

test("Firefox uploads to Box in four parallel streams where that is faster, every part with its digest", async () => {
  const page = await shared.open("?service=box");
  await page.emulator.settings(page.consumerId, { part_size: PART_SIZE, latency_ms: 300 });
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);
  await screenshot(shared.driver, "firefox-done");

  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file, PART_SIZE));
  assert.equal(stats.peak_parallel_uploads, 4);
  assert.equal(stats.uploads_in_flight, 0);
});
