// The same page in Firefox.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { screenshot, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startFirefox, { name: "firefox.bin", mib: 48 });

test("Firefox uploads to Box in four parallel streams, every part with its digest", async () => {
  const page = await shared.open("?service=box");
  // Slower than a busy machine hashes, as links are: else fewer parts in flight would do.
  await page.emulator.settings(page.consumerId, { rate: 25_000_000 });
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);
  await screenshot(shared.driver, "firefox-done");

  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file));
  assert.equal(stats.peak_parallel_uploads, 4);
  assert.equal(stats.uploads_in_flight, 0);
});
