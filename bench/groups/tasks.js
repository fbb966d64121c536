// How long the page's thread is busy at a time.

import { CONTESTANTS, pageOf } from "../lib/contestants.js";
import { MIB } from "../lib/lab.js";
import { measure } from "../lib/measure.js";
import { choose } from "../lib/rounds.js";
import { median, rotate } from "../lib/statistics.js";
import { figure, table, targets } from "../lib/table.js";
import { mainThreadTasks, trace } from "../lib/trace.js";

export const name = "tasks";
export const title = "The page's thread";

const NAMES = [
  "limit", "ours-blob", "ours-buffer", "ours-worker-blob", "ours-worker-buffer", "javascript-blob", "javascript-buffer",
  "javascript-worker-blob", "javascript-worker-buffer", "apideck", "tus", "uppy",
];

export async function run(lab, { rounds = 5, sizeMib = 512, only, browsers: [browser] = ["chromium"] }) {
  const names = choose(NAMES, only);
  const file = await lab.file(sizeMib * MIB);
  const servers = { emulator: await lab.emulator(), peers: await lab.peers() };
  const measured = Object.fromEntries(names.map((of) => [of, []]));
  for (let round = 0; round < rounds; round++) {
    for (const of of rotate(names, round)) {
      const { events } = await measure(browser, pageOf(servers, of), file, trace);
      for (const server of Object.values(servers)) await server.reset();
      const tasks = mainThreadTasks(events);
      measured[of].push(tasks);
      console.log(`round ${round + 1}/${rounds}  ${of.padEnd(24)} longest ${tasks.wall.toFixed(1).padStart(6)} ms, ${tasks.cpu.toFixed(1).padStart(6)} ms of CPU`);
    }
  }
  const all = (of, field) => measured[of].map((tasks) => tasks[field]);
  const worst = (of) => Math.max(...all(of, "wall"));
  const rows = names.map((of) => [
    CONTESTANTS[of].label, figure(median(all(of, "wall")), 1), figure(worst(of), 1), figure(median(all(of, "cpu")), 1), figure(Math.max(...all(of, "cpu")), 1),
  ]);
  const ours = names.filter((of) => of.startsWith("ours"));
  const verdicts = ours.map((of) => ({
    what: `${CONTESTANTS[of].label}: longest task of all rounds`, value: worst(of), most: of.startsWith("ours-worker") ? 16 : 50, unit: " ms", digits: 1,
  }));
  return [
    `The longest task of the page's main thread between the pick of ${sizeMib} MiB and the end of the upload, by Chromium's trace ` +
      `(\`toplevel\`): of each of ${rounds} rounds by turns, not paced. The time by the clock counts what else the processors do.`,
    table(["", "median, ms", "worst, ms", "CPU, median, ms", "CPU, worst, ms"], rows),
    ...(only === undefined ? [targets(verdicts)] : []),
  ].join("\n\n");
}
