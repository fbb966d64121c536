// What SHA-1 takes in the browsers here: most of what an upload with digests takes of the processor.

import { pageOf } from "../lib/contestants.js";
import { MIB } from "../lib/lab.js";
import { BROWSERS, measure } from "../lib/measure.js";
import { median } from "../lib/statistics.js";
import { figure, table } from "../lib/table.js";

export const name = "hashing";
export const title = "SHA-1";

const FILE_BYTES = 8 * MIB;
const WAYS = { module: "the module (`sha1Digest`)", hashWasm: "`hash-wasm`", webCrypto: "Web Crypto" };

export async function run(lab, { rounds = 5, browsers = ["chromium", "firefox"] }) {
  const file = await lab.file(FILE_BYTES);
  const url = pageOf({ emulator: await lab.emulator() }, "hashing");
  const rows = [];
  for (const browser of browsers) {
    const speeds = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
    for (let round = 0; round < rounds; round++) {
      const told = await measure(browser, url, file);
      for (const way in WAYS) speeds[way].push(...told.speeds[way]);
      console.log(`${browser} round ${round + 1}/${rounds}  ${Object.keys(WAYS).map((way) => `${way} ${figure(median(told.speeds[way]) / MIB)} MiB/s`).join(", ")}`);
    }
    rows.push(...Object.entries(WAYS).map(([way, label]) => [
      BROWSERS[browser], label, ...[Math.min(...speeds[way]), median(speeds[way]), Math.max(...speeds[way])].map((speed) => figure(speed / MIB)),
    ]));
  }
  return [
    `${FILE_BYTES / MIB} MiB that lie in memory, hashed once, by turns; ${rounds} browsers each. How far the slowest is from the fastest tells of the machine.`,
    table(["", "", "slowest, MiB/s", "median", "fastest"], rows),
  ].join("\n\n");
}
