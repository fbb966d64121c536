// A server that stands still: what was sent to it is given up within the time that the caller set, and sent again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertByteExact } from "./assertions.js";
import { startChromium, startFirefox } from "./harness.js";
import { useBrowser } from "./setup.js";

const STALL_MS = 1500;
/** Far less than the stall would last, and than the default's 30 s: a limit, the backoff and a busy machine. */
const LONGEST_MS = 20_000;
/** Where the server stands still: it reads nothing of one part, and reads another but never answers. */
const STALLS = [
  { operation: "upload", part_number: 1, fault: { kind: "stall", when: "before_body" } },
  { operation: "upload", part_number: 3, fault: { kind: "stall", when: "after_body" } },
];

for (const [browser, start] of [["Chromium", startChromium], ["Firefox", startFirefox]]) {
  const shared = useBrowser(start, { name: `${browser}-still.bin`, mib: 40 });

  for (const transport of ["fetch", "xhr"]) {
    test(`${browser}: a part is given up and sent again by ${transport} where the server reads nothing, or never answers`, async () => {
      const page = await shared.open(`?service=dropbox&transport=${transport}&stallTimeout=${STALL_MS}`);
      await page.emulator.faults(page.consumerId, STALLS);
      const [card] = await page.pick(shared.file);
      await assertByteExact(card, shared.file);
      // On a busy machine more may stand still for so long.
      assert.ok(Number(await card.data("retries")) >= STALLS.length);

      const { log } = await page.stats();
      for (const { part_number: part } of STALLS) {
        assert.match(await card.text("retries"), new RegExp(`Part ${part}: no answer in time, trying again`));
        const attempts = log.filter((entry) => entry.part_number === part).sort((one, other) => one.at_ms - other.at_ms);
        assert.equal(attempts[0].fault, "stall");
        assert.equal(attempts.at(-1).status, 200);
        const waited = attempts[1].at_ms - attempts[0].at_ms;
        assert.ok(waited >= STALL_MS && waited <= LONGEST_MS, `part ${part} was sent again after ${waited} ms`);
      }
    });
  }
}
