// At the pace of a fast link to a server that is far away: what is gained by parts side by side.

import { MIB } from "../lib/lab.js";
import { BROWSERS } from "../lib/measure.js";
import { choose, compare } from "../lib/rounds.js";
import { comparison, speedRatio, summarize } from "../lib/summary.js";
import { targets } from "../lib/table.js";

export const name = "distant";
export const title = "At 1 Gbit/s, 80 ms away";

const RATE = 125_000_000;
const LATENCY_MS = 80;
const NAMES = ["limit", "ours", "ours-worker", "apideck", "apideck-box"];

export async function run(lab, { rounds = 5, sizeMib = 1024, only, browsers: [browser] = ["chromium"] }) {
  const names = choose(NAMES, only);
  const file = await lab.file(sizeMib * MIB);
  const servers = { emulator: await lab.emulator([`--rate=${RATE}`], { latency_ms: LATENCY_MS }) };
  const measured = await compare({ browser, names, rounds, servers, file });
  const text = [
    `${sizeMib} MiB in ${BROWSERS[browser]}, the emulator paced to 125 MB/s, and ${LATENCY_MS} ms slower with every request; parts of 8 MiB, ` +
      `4 in flight, in (d) one after the other; medians of ${rounds} rounds by turns.`,
    comparison(summarize(measured)),
  ];
  if (only === undefined) text.push(targets([
    { what: "ours × (d) with digests, the same work", value: speedRatio(measured, "ours", "apideck-box"), least: 2 },
    { what: "ours × (d) without digests", value: speedRatio(measured, "ours", "apideck"), least: 2 },
  ]));
  return text.join("\n\n");
}
