// Times one upload straight to the emulator against the same upload through the edge in workerd, by turns, at one pace.
//
//   cargo xtask test edge e2e     (once: builds the modules and the emulator, installs what is needed)
//   UPLOAD_EMULATOR_BIN=target/native/upload-emulator node bench/edge.mjs [MiB] [bytes per second] [rounds] [service]

import { startEdge } from "../tests/e2e/edge.js";
import { makeFolder, startChromium, startEmulator } from "../tests/e2e/harness.js";
import { DemoPage } from "../tests/e2e/page.js";

const [mib = "1024", rate = "125000000", rounds = "5", service = "box"] = process.argv.slice(2);

/** Uploads a file by a page of its own; resolves with the seconds from create's arrival to finish's answer, by the emulator. */
async function time(open, file) {
  const driver = await startChromium();
  try {
    const page = await open(driver);
    const [card] = await page.pick(file);
    await card.waitFor("done");
    const { log } = await page.stats();
    return (log.at(-1).end_ms - log[0].at_ms) / 1000;
  } finally {
    await driver.quit();
  }
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const folder = await makeFolder();
const ends = [folder.remove];
try {
  const file = await folder.file("measured.bin", Number(mib));
  const emulator = await startEmulator(undefined, ["--discard", `--rate=${rate}`]);
  ends.push(emulator.stop);
  const edge = await startEdge(emulator, "sk_live_measured");
  ends.push(edge.stop);
  const query = `?service=${service}&direct=never`;
  const ways = {
    direct: (driver) => DemoPage.open(driver, emulator, query),
    edge: (driver) => DemoPage.openAtEdge(driver, emulator, edge.address, query),
  };
  const seconds = { direct: [], edge: [] };
  for (let round = 1; round <= Number(rounds); round++) {
    for (const [way, open] of Object.entries(ways)) seconds[way].push(await time(open, file));
    console.log(`round ${round}: direct ${seconds.direct.at(-1).toFixed(2)} s, through the edge ${seconds.edge.at(-1).toFixed(2)} s`);
  }
  const ratios = seconds.edge.map((time, round) => time / seconds.direct[round]);
  console.log(`median: direct ${median(seconds.direct).toFixed(2)} s, through the edge ${median(seconds.edge).toFixed(2)} s`);
  console.log(`ratio of the medians ${(median(seconds.edge) / median(seconds.direct)).toFixed(3)}, of the worst round ${Math.max(...ratios).toFixed(3)}`);
} finally {
  for (const end of ends.reverse()) await end();
}
