// At the pace of a link of 1 Gbit/s: what is lost to the limit.

import { MIB } from "../lib/lab.js";
import { BROWSERS } from "../lib/measure.js";
import { choose, compare } from "../lib/rounds.js";
import { comparison, speedRatio, summarize } from "../lib/summary.js";
import { targets } from "../lib/table.js";

export const name = "paced";
export const title = "At 1 Gbit/s";

const RATE = 125_000_000;
const NAMES = ["limit", "ours", "ours-worker"];

export async function run(lab, { rounds = 5, sizeMib = 1024, only, browsers = ["chromium", "firefox"] }) {
  const names = choose(NAMES, only);
  const file = await lab.file(sizeMib * MIB);
  const servers = { emulator: await lab.emulator([`--rate=${RATE}`]) };
  const text = [
    `${sizeMib} MiB, the emulator paced to 125 MB/s; profile Box, both digests, \`body: "auto"\`; parts of 8 MiB, 4 in flight; ` +
      `medians of ${rounds} rounds by turns.`,
  ];
  const verdicts = [];
  for (const browser of browsers) {
    const measured = await compare({ browser, names, rounds, servers, file });
    text.push(`${BROWSERS[browser]}:`, comparison(summarize(measured)));
    if (only === undefined) {
      verdicts.push({ what: `time of ours × (a), ${BROWSERS[browser]}`, value: speedRatio(measured, "limit", "ours"), most: 1.02, digits: 3 });
    }
  }
  if (verdicts.length > 0) text.push(targets(verdicts));
  return text.join("\n\n");
}
