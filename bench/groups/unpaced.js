// Every contestant, as fast as the machine lets it go.

import { writeFile } from "node:fs/promises";
import { CONTESTANTS, hashes } from "../lib/contestants.js";
import { MIB } from "../lib/lab.js";
import { BROWSERS } from "../lib/measure.js";
import { plot } from "../lib/plot.js";
import { choose, compare } from "../lib/rounds.js";
import { comparison, speedRatio, summarize } from "../lib/summary.js";
import { targets } from "../lib/table.js";

export const name = "unpaced";
export const title = "As fast as it goes";

const PLOT = new URL("../throughput.svg", import.meta.url);
const NAMES = [
  "limit", "ours-blob", "ours-buffer", "ours-worker-blob", "ours-worker-buffer", "javascript-blob", "javascript-buffer",
  "javascript-worker-blob", "javascript-worker-buffer", "apideck", "apideck-box", "apideck-box-worker", "tus", "uppy",
];

export async function run(lab, { rounds = 5, sizeMib = 1024, only, browsers: [browser] = ["chromium"], writes }) {
  const names = choose(NAMES, only);
  const file = await lab.file(sizeMib * MIB);
  const servers = { emulator: await lab.emulator(), peers: await lab.peers() };
  const measured = await compare({ browser, names, rounds, servers, file });
  const summary = summarize(measured);
  const text = [
    `${sizeMib} MiB in ${BROWSERS[browser]}, parts of 8 MiB, 4 in flight, not paced; medians of ${rounds} rounds by turns. Browser and ` +
      "server share the processors. (b), (c) and (d) to Box compute the digests of every part and of the file; the others compute none. " +
      "(d) sends one part after the other, as its documentation has it; (e) stores the file on disk, as `@tus/server` does; (f) goes to a sink in Node; all others go to the emulator, which hashes and drops.",
    comparison(summary),
  ];
  if (only === undefined) {
    text.push(verdict(measured), "![Throughput beside the limit](throughput.svg)");
    if (writes) await writeFile(PLOT, plot(bars(summary), `Upload of ${sizeMib} MiB in ${BROWSERS[browser]}, MiB/s`));
  }
  return text.join("\n\n");
}

const bars = (summary) => summary.map(({ name: of, speed, ratio }) => ({
  label: CONTESTANTS[of].label.replaceAll("`", ""), speed, ratio, kind: kindOf(of),
}));

const kindOf = (of) => (of.startsWith("ours") ? "ours" : hashes(of) ? "digests" : "plain");

/** The fastest of ours against the limit, the fastest of the same work in plain JavaScript, and the vendor's SDK. */
function verdict(measured) {
  const fastest = (pattern) => Object.keys(measured).filter((of) => pattern.test(of))
    .reduce((best, of) => (speedRatio(measured, of, best) > 1 ? of : best));
  const ours = fastest(/^ours/);
  const against = (other) => speedRatio(measured, ours, other);
  return targets([
    { what: "the fastest of ours, × (a)", value: against("limit"), least: 0.55 },
    { what: "the fastest of ours, × the fastest (c) that reads once (buffers)", value: against(fastest(/^javascript.*buffer$/)), least: 1.15 },
    { what: "the fastest of ours, × the fastest (c) of all", value: against(fastest(/^javascript/)), least: 1.15 },
    { what: "the fastest of ours, × the fastest (d) with digests, the same work", value: against(fastest(/^apideck-box/)), least: 2 },
    { what: "the fastest of ours, × (d) without digests", value: against("apideck"), least: 2 },
  ]);
}
