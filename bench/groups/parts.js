// The most parts that a session may have, each tiny: what a part costs beside its bytes.

import { BROWSERS } from "../lib/measure.js";
import { choose, compare } from "../lib/rounds.js";
import { comparison, speedRatio, summarize } from "../lib/summary.js";
import { figure, targets } from "../lib/table.js";

export const name = "parts";
export const title = "10,001 parts";

const PARTS = 10_001;
const PART_SIZE = 4096;
const NAMES = ["limit", "limit-bytes", "ours-blob", "ours-buffer", "ours-worker-blob", "ours-worker-buffer"];

export async function run(lab, { rounds = 5, only, browsers: [browser] = ["chromium"] }) {
  const names = choose(NAMES, only);
  const file = await lab.file((PARTS - 1) * PART_SIZE + 1);
  const servers = { emulator: await lab.emulator([`--part-size=${PART_SIZE}`]) };
  const measured = await compare({ browser, names, rounds, servers, file });
  const text = [
    `${figure(PARTS)} parts of ${figure(PART_SIZE)} bytes in ${BROWSERS[browser]}, 4 in flight, not paced; medians of ${rounds} rounds by turns. ` +
      "(a) is a bare loop of as many fetches, of slices of the file or of bytes that it read before; ours sends parts as small as these from memory in either mode.",
    comparison(summarize(measured)),
  ];
  if (only === undefined) {
    const fastest = Math.min(...names.filter((of) => of.startsWith("ours")).map((of) => speedRatio(measured, "limit", of)));
    text.push(targets([
      { what: "time of ours, `blob`, × (a)", value: speedRatio(measured, "limit", "ours-blob"), most: 1.3 },
      { what: "time of ours, `blob`, × (a) of bytes in memory", value: speedRatio(measured, "limit-bytes", "ours-blob"), most: 1.3 },
      { what: "time of the fastest of ours × (a)", value: fastest, most: 1.3 },
    ]));
  }
  return text.join("\n\n");
}
