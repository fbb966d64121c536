// What the emulator's log must show, whatever the test.

import assert from "node:assert/strict";

/** Parts that were stored, in the order in which they were begun. */
export function storedParts({ log }) {
  return log.filter((entry) => entry.operation === "upload" && entry.status === 200);
}

/** Asserts that the copy on the other side has the very bytes of the file, and that the page says so. */
export async function assertByteExact(card, file) {
  assert.equal(await card.verdict(), "equal");
  const copy = await card.page.emulator.fileInfo(await card.data("file-id"));
  assert.equal(copy.size, file.size);
  assert.equal(copy.sha1, file.sha1);
  assert.equal(await card.data("sha1-local"), file.sha1);
  assert.equal(await card.data("sha1-remote"), file.sha1);
  assert.match(await card.text("verdict"), /Byte for byte the same/);
  assert.match(await card.part("download").getAttribute("href"), new RegExp(`/_emulator/files/${await card.data("file-id")}$`));
}

/** Asserts that so many parts were stored, each once and each with its right digest. */
export function assertEveryPartDigested(stats, partCount) {
  const parts = storedParts(stats);
  assert.deepEqual(new Set(parts.map((part) => part.part_number)).size, partCount);
  assert.equal(parts.length, partCount);
  assert.deepEqual(parts.filter((part) => part.digest_ok !== true), []);
}

/** How many parts of the profiles' size a file has. */
export function partsOf(file, partSize = 8_388_608) {
  return Math.ceil(file.size / partSize);
}

/** Asserts that an upload went on from its record: nothing that it counts as acknowledged was sent again. */
export async function assertResumed(card, { before, record }) {
  const after = await card.page.stats();
  assert.ok(record.confirmed > 0, "something was confirmed before");
  // The server may hold a part more than it could tell before the page was left.
  assert.ok(Number(await card.data("resumed")) >= record.confirmed, `resumed at ${await card.data("resumed")} of ${record.confirmed}`);
  assert.equal(after.requests.create, before.requests.create, "no fresh session");
  const since = after.log.slice(before.log.length);
  assert.deepEqual(sentAgain(since, record), []);
  const left = record.size - record.confirmed;
  const sent = bytesOfParts(since);
  assert.ok(sent <= left, `${sent} bytes were sent where ${left} were left`);
  assert.equal(after.sessions_open, 0);
}

/** Adds up what was read of parts in a piece of the log. */
export function bytesOfParts(log) {
  return log.filter(({ operation }) => operation === "upload").reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Returns the uploads in a piece of the log whose parts the record counts as acknowledged. */
export function sentAgain(log, { acknowledged }) {
  return log.filter((entry) => entry.operation === "upload" && acknowledged.has(entry.part_number));
}
