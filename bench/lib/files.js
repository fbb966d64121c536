// Files of random bytes, on disk, in a folder of their own.

import { randomFillSync } from "node:crypto";
import { mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const CHUNK = 8 * 1024 * 1024;
/** What must be left on the disk besides, in bytes: a server may store as much again. */
const SPARE = 2 * 1024 ** 3;

/** Makes the folder; `remove` takes it away with all that is in it. */
export async function makeFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), "upload-session-bench-"));
  return {
    path: folder,
    async file(name, bytes) {
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < bytes + SPARE) throw new Error(`${folder} has too little room for ${bytes} bytes; TMPDIR names another place`);
      const file = path.join(folder, name);
      const handle = await open(file, "w");
      const chunk = Buffer.allocUnsafe(CHUNK);
      for (let left = bytes; left > 0; left -= CHUNK) {
        randomFillSync(chunk);
        await handle.write(chunk, 0, Math.min(left, CHUNK));
      }
      await handle.close();
      return file;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
