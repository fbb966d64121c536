// The upload edge before the emulator, as `cargo xtask demo --edge` runs it, and a recorder between browser and edge.

import { spawn } from "node:child_process";
import net from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVE = fileURLToPath(new URL("../../edge/demo/serve.mjs", import.meta.url));

/** Starts the edge, which is given this API key; resolves once it takes requests: {address, stop}. */
export async function startEdge(emulator, apiKey) {
  const child = spawn(process.execPath, [SERVE, "--upstream", emulator.address, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, EDGE_DEMO_API_KEY: apiKey },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const address = new Promise((resolve, reject) => {
    child.once("error", reject);
    exited.then((code) => reject(new Error(`the edge ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /^upload-edge listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { address: await address, stop };
}

/**
 * Passes every byte on between the browser and `target`, and counts how often each of `needles` ({name: text}) is among
 * those that the browser sends, and among those that it gets.
 */
export async function startRecorder(target, needles) {
  const sockets = new Set();
  const recorder = { sent: new Counter(needles), received: new Counter(needles) };
  const server = net.createServer((browser) => {
    const edge = net.connect(Number(new URL(target).port), "127.0.0.1");
    join(browser, edge, recorder.sent.scanner());
    join(edge, browser, recorder.received.scanner());
  });
  const join = (from, to, scan) => {
    sockets.add(from);
    from.on("data", scan);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.end();
    });
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  recorder.address = `http://127.0.0.1:${server.address().port}`;
  recorder.stop = async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  };
  return recorder;
}

/** Counts bytes, and texts among them. */
class Counter {
  constructor(needles) {
    this.bytes = 0;
    this.needles = Object.entries(needles).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
    this.counts = Object.fromEntries(this.needles.map(({ name }) => [name, 0]));
  }

  /** Returns the function that takes the chunks of one connection. */
  scanner() {
    const rests = new Map();
    return (chunk) => {
      this.bytes += chunk.length;
      for (const { name, bytes } of this.needles) {
        // What lies across the seam of two chunks is in neither of them.
        const overlap = bytes.length - 1;
        const rest = rests.get(name) ?? Buffer.alloc(0);
        const seam = Buffer.concat([rest, chunk.subarray(0, overlap)]);
        this.counts[name] += occurrences(chunk, bytes) + occurrences(seam, bytes);
        const whole = chunk.length < overlap ? seam : chunk;
        rests.set(name, Buffer.from(whole.subarray(Math.max(0, whole.length - overlap))));
      }
    };
  }
}

function occurrences(haystack, needle) {
  let count = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) count += 1;
  return count;
}
