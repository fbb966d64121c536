// Memory of a small file beside that of a large one.

import { CONTESTANTS } from "../lib/contestants.js";
import { MIB } from "../lib/lab.js";
import { choose, compare } from "../lib/rounds.js";
import { median } from "../lib/statistics.js";
import { figure, table, targets } from "../lib/table.js";

export const name = "memory";
export const title = "Memory";

const SMALL_MIB = 256;
/** The default of `memoryBudget`. */
const BUDGET_MIB = 64;
const NAMES = ["ours-blob", "ours-buffer"];

export async function run(lab, { rounds = 3, sizeMib = 8192, only, browsers: [browser] = ["chromium"] }) {
  const names = choose(NAMES, only);
  const servers = { emulator: await lab.emulator() };
  const sizes = [SMALL_MIB, sizeMib];
  const measured = {};
  for (const size of sizes) {
    measured[size] = await compare({ browser, names, rounds, servers, file: await lab.file(size * MIB) });
  }
  const mib = (size, of, field) => median(measured[size][of].map((result) => result[field])) / MIB;
  const rows = names.flatMap((of) => sizes.map((size) => [
    CONTESTANTS[of].label,
    figure(size),
    ...["memoryBefore", "memoryPeak", "memoryOfAll"].map((field) => figure(mib(size, of, field))),
    figure(mib(size, of, "linearMemory"), 1),
  ]));
  const verdicts = names.flatMap((of) => [
    {
      what: `${CONTESTANTS[of].label}: peak with ${figure(sizeMib)} MiB × that with ${SMALL_MIB}`,
      value: mib(sizeMib, of, "memoryPeak") / mib(SMALL_MIB, of, "memoryPeak"),
      most: 1.1,
    },
    { what: `${CONTESTANTS[of].label}: linear memory, MiB`, value: Math.max(...sizes.map((size) => mib(size, of, "linearMemory"))), most: 4, digits: 1 },
  ]);
  // Slices hold no content: what buffers take more is theirs.
  if (only === undefined) {
    for (const [field, where] of [["memoryPeak", "the page's process"], ["memoryOfAll", "all processes"]]) {
      const content = Math.max(...sizes.map((size) => mib(size, "ours-buffer", field) - mib(size, "ours-blob", field)));
      verdicts.push({ what: `content held by \`buffer\` in ${where}, MiB: its peak less that of \`blob\``, value: content, most: BUDGET_MIB + 16, digits: 0 });
    }
  }
  return [
    "Resident memory of the page's process: before the file was picked, and the highest that the kernel saw until the end (VmHWM); " +
      "the sum of the highest of all the browser's processes, at whichever time each was; " +
      `medians of ${rounds} rounds by turns, not paced. The linear memory is the module's, a part of the page's.`,
    table(["", "file, MiB", "before, MiB", "at most, MiB", "all processes, MiB", "linear memory, MiB"], rows),
    targets(verdicts),
  ].join("\n\n");
}
