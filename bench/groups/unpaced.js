// Every contestant, as fast as the machine lets it go.

import { CONTESTANTS } from "../lib/contestants.js";
import { BROWSERS } from "../lib/measure.js";
import { choose, compare } from "../lib/rounds.js";
import { comparison, summarize } from "../lib/summary.js";

export const name = "unpaced";

export async function run(lab, { rounds = 5, sizeMib = 1024, only, browsers: [browser] = ["chromium"] }) {
  const names = choose(lab.present(Object.keys(CONTESTANTS)), only);
  const file = await lab.file(sizeMib);
  const servers = { emulator: await lab.emulator(["--discard"]), peers: await lab.peers() };
  const measured = await compare({ browser, names, rounds, servers, file });
  return `${rounds} rounds by turns, ${sizeMib} MiB in ${BROWSERS[browser]}, parts of 8 MiB, 4 in flight, not paced: medians.\n\n` +
    comparison(summarize(measured), CONTESTANTS);
}
