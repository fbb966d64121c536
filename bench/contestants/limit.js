// (a) The limit: fetch, and nothing else. Slices of the file are PUT, so many at a time; nobody computes a digest.

import { openSession } from "./api.js";

export async function upload(file, options) {
  const session = await openSession(file, options);
  // Tiny parts may cost more as slices than as bytes of a file that is read at once.
  const bytes = options.body === "buffer" ? new Uint8Array(await file.arrayBuffer()) : undefined;
  const content = (start, end) => bytes?.subarray(start, end) ?? file.slice(start, end);
  let next = 0;
  const lane = async () => {
    while (next < session.parts) {
      const part = next++;
      const start = part * session.partSize;
      await session.put(part, content(start, start + session.partSize));
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, lane));
  await session.finish();
}
