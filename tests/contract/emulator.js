// Starts the emulator, and speaks its control API.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const LINE = /^upload-emulator listening on (http:\/\/127\.0\.0\.1:\d+)$/;

/**
 * Starts the emulator that UPLOAD_EMULATOR_BIN names.
 * @returns {Promise<{url: string, post(path: string, body: unknown): Promise<unknown>, stop(): Promise<void>}>}
 */
export async function startEmulator() {
  const binary = process.env.UPLOAD_EMULATOR_BIN;
  if (!binary || !existsSync(binary)) {
    throw new Error(
      `UPLOAD_EMULATOR_BIN must be the path of the upload-emulator binary (cargo build -p upload-emulator); it is ${binary}`,
    );
  }
  const child = spawn(binary, ["--port", "0", "--quiet"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await address(child);
  return {
    url,
    async post(path, body) {
      const answer = await fetch(`${url}/_emulator/${path}`, { method: "POST", body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? undefined : answer.json();
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function address(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const match = LINE.exec(line);
    if (match) return match[1];
    throw new Error(`the emulator printed: ${line}`);
  }
  throw new Error("the emulator ended before it was ready");
}
