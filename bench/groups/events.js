// The engine's time for an event, as the criterion benchmark of its crate measured it.

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { figure, table, targets } from "../lib/table.js";

export const name = "events";
export const title = "The engine's time for an event";

/** How far apart two times may be that count as the same: criterion's own noise on a shared machine. */
const FLAT = 1.5;

export async function run() {
  const folder = process.env.CRITERION_HOME;
  if (!folder) throw new Error("CRITERION_HOME must name the folder that criterion wrote into");
  const rows = [];
  const verdicts = [];
  for (const body of ["blob", "blob-reread", "buffer"]) {
    const entries = await readdir(path.join(folder, body));
    const counts = entries.map(Number).filter(Number.isInteger).sort((a, b) => a - b);
    const measured = await Promise.all(counts.map((parts) => timeOf(path.join(folder, body, String(parts), "new"))));
    counts.forEach((parts, index) => rows.push([`\`${body}\``, figure(parts), figure(measured[index].events), figure(measured[index].nanoseconds)]));
    const times = measured.map(({ nanoseconds }) => nanoseconds);
    const what = `\`${body}\`: time with ${figure(counts.at(-1))} parts × that with ${counts[0]}`;
    verdicts.push({ what, value: times.at(-1) / times[0], most: FLAT });
  }
  return [
    "`crates/engine/benches/events.rs`, native: whole uploads without I/O. An event is one `handle_` call and the outputs that it leads to; " +
      "`blob-reread` is what Firefox takes, whose file is surveyed ahead and read once more behind.",
    table(["", "parts", "events", "ns an event"], rows),
    targets(verdicts),
  ].join("\n\n");
}

async function timeOf(folder) {
  const [estimates, benchmark] = await Promise.all(["estimates", "benchmark"].map(async (file) => JSON.parse(await readFile(path.join(folder, `${file}.json`), "utf8"))));
  const events = benchmark.throughput.Elements;
  return { events, nanoseconds: estimates.median.point_estimate / events };
}
