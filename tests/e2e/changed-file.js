// What happens to a file on disk while it is being uploaded, one way after the other. Each takes the file as
// `folder.file()` made it, and resolves once the disk has it.

import { open, rename, rm, stat, truncate } from "node:fs/promises";
import { randomFillSync } from "node:crypto";

/** Bytes of the change: few beside the file, and in a part that was sent first. */
const FEW = 16;

/** Writes over a few bytes of the file, or behind its end. */
export async function write(file, position) {
  const handle = await open(file.path, position === undefined ? "a" : "r+");
  try {
    await handle.write(randomFillSync(Buffer.alloc(FEW)), 0, FEW, position);
  } finally {
    await handle.close();
  }
}

export const CHANGES = {
  appended: (file) => write(file),
  // Neither at the beginning nor in the middle nor at the end: no sample of the file shows it.
  "overwritten in place with the same size": (file) => write(file, Math.floor(file.size / 3)),
  truncated: (file) => truncate(file.path, Math.floor(file.size / 2)),
  deleted: (file) => rm(file.path),
  async "replaced by rename"(file, folder) {
    const other = await folder.file(`${file.name}.new`, Math.floor(file.size / 2 ** 20));
    if ((await stat(other.path)).size !== file.size) throw new Error("the other file has another size");
    await rename(other.path, file.path);
  },
};
