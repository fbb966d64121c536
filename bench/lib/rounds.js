// Contestants by turns, round after round.

import { pageOf } from "./contestants.js";
import { measure } from "./measure.js";
import { rotate } from "./statistics.js";

const MIB = 1024 * 1024;

/** Measures each contestant once a round; resolves with the measurements of each by its name, in the order of the rounds. */
export async function compare({ browser, names, rounds, servers, file, page = {} }) {
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of rotate(names, round)) {
      const result = await measure(browser, pageOf(servers, name, page), file);
      for (const server of Object.values(servers)) await server.reset();
      measured[name].push(result);
      console.log(`${browser} round ${round + 1}/${rounds}  ${describe(name, result)}`);
    }
  }
  return measured;
}

/** One measurement on one line. */
export function describe(name, { seconds, bytes, cpu, memoryPeak }) {
  const speed = bytes / seconds / MIB;
  return `${name.padEnd(24)} ${seconds.toFixed(2).padStart(7)} s ${speed.toFixed(0).padStart(5)} MiB/s ` +
    `CPU ${cpu.toFixed(1).padStart(5)} s  renderer ${(memoryPeak / MIB).toFixed(0).padStart(4)} MiB`;
}

/** Those of a group that were asked for, or all; fails where that is nobody. */
export function choose(names, only) {
  const chosen = names.filter((name) => only === undefined || only.includes(name));
  if (chosen.length === 0) throw new Error(`the group has none of them; it has ${names.join(", ")}`);
  return chosen;
}
