// The emulator, as the upstream of the proxies under test, and its control API.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

import { addresses, stop } from "./processes.js";

const LINE = /^upload-emulator listening on (http:\/\/127\.0\.0\.1:\d+)$/;

/** Credentials that the emulator takes, as it takes any. */
export const HEADERS = { authorization: "Bearer the-test-itself", "x-apideck-app-id": "test-app" };

/** Starts the emulator that UPLOAD_EMULATOR_BIN names; more flags may be given. */
export async function startEmulator(flags = []) {
  const binary = process.env.UPLOAD_EMULATOR_BIN;
  if (!binary || !existsSync(binary)) {
    throw new Error(`UPLOAD_EMULATOR_BIN must be the path of the upload-emulator binary; it is ${binary}`);
  }
  const child = spawn(binary, ["--port=0", "--quiet", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await addresses(child, LINE, 1);
  return new Emulator(url, () => stop(child));
}

class Emulator {
  constructor(url, stop) {
    this.url = url;
    this.stop = stop;
  }

  /** What one consumer, or everybody, has asked of it. */
  stats(consumer) {
    return this.#call("GET", consumer === undefined ? "stats" : `stats?consumer_id=${consumer}`);
  }

  /** Strikes one operation, `times` times (1). */
  fault(operation, fault, more = {}) {
    return this.#call("POST", "faults", [{ operation, fault, ...more }]);
  }

  settings(settings) {
    return this.#call("POST", "settings", settings);
  }

  info(file) {
    return this.#call("GET", `files/${file}/info`);
  }

  /** Forgets everything. */
  reset() {
    return this.#call("POST", "reset");
  }

  /** Makes a session without the proxy, and returns its id. */
  async session({
    consumer = "alice",
    app = HEADERS["x-apideck-app-id"],
    service,
    size = 1_000_000,
    name = "a.bin",
  } = {}) {
    const headers = {
      ...HEADERS,
      "x-apideck-app-id": app,
      "x-apideck-consumer-id": consumer,
      "content-type": "application/json",
    };
    if (service !== undefined) headers["x-apideck-service-id"] = service;
    const body = JSON.stringify({ name, parent_folder_id: "root", size });
    const answer = await fetch(`${this.url}/file-storage/upload-sessions`, { method: "POST", headers, body });
    if (answer.status !== 201) throw new Error(`the emulator made no session: ${await answer.text()}`);
    return (await answer.json()).data.id;
  }

  async #call(method, path, body) {
    const answer = await fetch(`${this.url}/_emulator/${path}`, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }
}
