// Memory of the worker while large parts pass: flat, as nothing of them is kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { create, send } from "./client.js";
import { children, memoryOf } from "./processes.js";
import { SESSIONS, startStage } from "./stage.js";

const MIB = 1024 * 1024;
const PARTS = 8;
const PART = 100_000_000;
const LIMIT = 16 * MIB;

const proxies = { ours: {}, foil: { unguarded: true } };

let stage;
let workerd;
before(async () => {
  const others = await children("workerd");
  stage = await startStage("workerd", proxies, ["--discard"]);
  [workerd] = (await children("workerd")).filter((id) => !others.includes(id));
  assert.ok(workerd > 0, "there is a workerd process");
});
after(() => stage?.stop());

test(`${PARTS} parts of 100 MB at once: workerd grows by less than 16 MiB`, async (t) => {
  const { grown, parallel } = await growth(t, stage.ours, PART);
  assert.equal(parallel, PARTS, "parts that upstream was sent at once");
  assert.ok(grown < LIMIT, `it grew by ${mib(grown)} MiB`);
});

// What the measurement is worth: it sees a proxy that keeps what comes.
test("the unguarded proxy keeps the parts, and workerd grows", async (t) => {
  assert.ok((await growth(t, stage.foil, 10_000_000)).grown > LIMIT);
});

/** Sends parts of so many bytes, all at once; returns by how many bytes workerd has grown at most. */
async function growth(t, proxy, size) {
  for (let round = 0; round < 5; round++) await uploadAll(proxy, MIB);
  let parallel;
  const { before, most } = await memoryOf(workerd, async () => (parallel = await uploadAll(proxy, size)));
  t.diagnostic(`${mib(before)} MiB before, ${mib(most)} MiB at most, ${parallel} parts at once`);
  return { grown: most - before, parallel };
}

/** Returns how many parts upstream was sent at once. */
async function uploadAll(proxy, size) {
  await stage.emulator.reset();
  await stage.emulator.settings({ part_size: size });
  const { id } = await create(proxy, { service: "dropbox" }, { size: PARTS * size });
  const parts = Array.from({ length: PARTS }, (_, number) =>
    send(proxy, `${SESSIONS}/${id}?part_number=${number}`, size, { "x-apideck-service-id": "dropbox" }),
  );
  for (const answer of await Promise.all(parts)) assert.equal(answer.status, 200, answer.text);
  const { peak_parallel_uploads: parallel, parts_accepted: accepted } = await stage.emulator.stats();
  assert.equal(accepted, PARTS);
  return parallel;
}

function mib(bytes) {
  return (bytes / MIB).toFixed(1);
}
