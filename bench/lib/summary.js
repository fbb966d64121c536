// What the tables say of a contestant: medians of its rounds.

import { median, ratioByRound } from "./statistics.js";
import { figure, table } from "./table.js";

const MIB = 1024 * 1024;

/** Medians of each contestant; `ratio` is its speed by that of `base` in the same round. */
export function summarize(measured, base = "limit") {
  const of = (name, field) => measured[name].map((result) => result[field]);
  return Object.keys(measured).map((name) => ({
    name,
    seconds: median(of(name, "seconds")),
    speed: median(measured[name].map(({ bytes, seconds }) => bytes / seconds / MIB)),
    ratio: base in measured ? 1 / ratioByRound(of(name, "seconds"), of(base, "seconds")) : undefined,
    cpu: median(of(name, "cpu")),
    memoryBefore: median(of(name, "memoryBefore")) / MIB,
    memoryPeak: median(of(name, "memoryPeak")) / MIB,
  }));
}

/** The table that the groups of rounds have in common. */
export function comparison(summary, labels) {
  const head = ["", "median, s", "MiB/s", "× (a)", "CPU of the browser, s", "renderer before, MiB", "renderer at most, MiB"];
  return table(head, summary.map((row) => [
    labels[row.name].label,
    figure(row.seconds, 2), figure(row.speed), figure(row.ratio, 2), figure(row.cpu, 1), figure(row.memoryBefore), figure(row.memoryPeak),
  ]));
}
