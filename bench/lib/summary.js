// What the tables say of a contestant: medians of its rounds.

import { CONTESTANTS } from "./contestants.js";
import { median, ratioByRound } from "./statistics.js";
import { figure, table } from "./table.js";

const MIB = 1024 * 1024;

/** Medians of each contestant; `ratio` is its speed by that of the limit in the same rounds. */
export function summarize(measured) {
  const of = (name, field) => measured[name].map((result) => result[field]);
  return Object.keys(measured).map((name) => ({
    name,
    seconds: median(of(name, "seconds")),
    speed: median(measured[name].map(({ bytes, seconds }) => bytes / seconds / MIB)),
    ratio: speedRatio(measured, name, "limit"),
    cpu: median(of(name, "cpu")),
    memoryBefore: median(of(name, "memoryBefore")) / MIB,
    memoryPeak: median(of(name, "memoryPeak")) / MIB,
  }));
}

/** How many times as fast as another a contestant was, by the median of the rounds; unknown where one did not take part. */
export function speedRatio(measured, name, other) {
  if (!(name in measured && other in measured)) return undefined;
  const seconds = (of) => measured[of].map((result) => result.seconds);
  return ratioByRound(seconds(other), seconds(name));
}

/** The table that the groups of rounds have in common. */
export function comparison(summary) {
  const head = ["", "median, s", "MiB/s", "× (a)", "CPU of the browser, s", "renderer before, MiB", "renderer at most, MiB"];
  return table(head, summary.map((row) => [
    CONTESTANTS[row.name].label,
    figure(row.seconds, 2), figure(row.speed), figure(row.ratio, 2), figure(row.cpu, 1), figure(row.memoryBefore), figure(row.memoryPeak),
  ]));
}
