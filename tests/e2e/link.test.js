// A server that stands still: what was sent to it is given up within the time that the caller set, and sent again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact } from "./assertions.js";
import { startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const STALL_MS = 1500;
/** Far less than the stall would last, and than the default's 30 s: a limit, the backoff and a busy machine. */
const LONGEST_MS = 20_000;
const PART = 2;

for (const [browser, start] of [["Chromium", startChromium], ["Firefox", startFirefox]]) {
  const shared = useBrowser(start, { name: `${browser}-still.bin`, mib: 40 });

  for (const transport of ["fetch", "xhr"]) {
    for (const [when, what] of [["before_body", "reads nothing"], ["after_body", "never answers"]]) {
      test(`${browser}: a part is given up and sent again by ${transport} where the server ${what}`, async () => {
        const page = await shared.open(`?service=dropbox&transport=${transport}&stallTimeout=${STALL_MS}`);
        await page.emulator.faults(page.consumerId, [{ operation: "upload", part_number: PART, fault: { kind: "stall", when } }]);
        const [card] = await page.pick(shared.file);
        await assertByteExact(card, shared.file);
        assert.equal(await card.data("retries"), "1");
        assert.match(await card.text("retries"), new RegExp(`Part ${PART}: no answer in time, trying again`));

        const attempts = (await page.stats()).log.filter((entry) => entry.part_number === PART);
        attempts.sort((one, other) => one.at_ms - other.at_ms);
        assert.equal(attempts[0].fault, "stall");
        assert.equal(attempts.at(-1).status, 200);
        const waited = attempts[1].at_ms - attempts[0].at_ms;
        assert.ok(waited >= STALL_MS && waited <= LONGEST_MS, `sent again after ${waited} ms`);
      });
    }
  }
}
