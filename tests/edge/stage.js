// What a test of the proxy stands on: the emulator, proxies in a runtime, and a relay between each of them and the
// emulator that keeps what they send.

import { after, before, describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startEmulator } from "./emulator.js";
import { exchange } from "./raw.js";
import { startRelay } from "./relay.js";
import { RUNTIMES } from "./runtimes.js";
import { sign } from "./token.js";

export const SESSIONS = "/file-storage/upload-sessions";
export const FILES = "/file-storage/files";

/** What every proxy is given where a test says nothing else. */
export const SETTINGS = {
  apiKey: "sk_live_edge-tests-0123456789",
  appId: "edge-app",
  sessionSecret: "the first secret of the tests, 32 bytes or more",
  grants: { alice: { consumerId: "alice" }, bob: { consumerId: "bob" } },
};

/**
 * Declares the same tests for each runtime. `proxies` are settings by name; `define` is given the stage, which is set
 * once the tests run.
 */
export function onEveryRuntime(topic, proxies, define) {
  for (const runtime of Object.keys(RUNTIMES)) {
    describe(`${topic}, ${runtime}`, () => {
      const stage = { runtime };
      before(async () => Object.assign(stage, await startStage(runtime, proxies)));
      after(() => stage.stop?.());
      define(stage);
    });
  }
}

export async function startStage(runtime, proxies, flags) {
  const emulator = await startEmulator(flags);
  const stops = [emulator.stop];
  const stop = async () => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    const subjects = {};
    const environments = {};
    for (const [name, { bindings, ...more }] of Object.entries(proxies)) {
      const relay = await startRelay(emulator.url);
      stops.push(() => relay.stop());
      const settings = { ...SETTINGS, upstream: relay.url, ...more };
      // JSON has no undefined: what is to be left out is.
      environments[name] = { SETTINGS: JSON.parse(JSON.stringify(settings)), UPSTREAM: relay.url, ...bindings };
      subjects[name] = new Subject(settings, relay, emulator);
    }
    const served = await RUNTIMES[runtime](environments);
    stops.push(served.stop);
    for (const [name, subject] of Object.entries(subjects)) subject.url = served.urls[name];
    return { ...subjects, emulator, log: served.log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A proxy under test. */
class Subject {
  constructor(settings, relay, emulator) {
    Object.assign(this, { settings, relay, emulator, url: undefined });
  }

  /** Asks the proxy, as the one who is logged in as `login`. */
  fetch(path, { login = "alice", headers = {}, ...init } = {}) {
    const authorization = login === null ? {} : { authorization: `Bearer ${login}` };
    if (init.body instanceof ReadableStream) init.duplex = "half";
    return fetch(this.url + path, { redirect: "manual", ...init, headers: { ...authorization, ...headers } });
  }

  /** Makes a session upstream; returns its id, and the token that the proxy would have signed for its consumer. */
  async session({ consumer = "alice", service, size = 1000, ...more } = {}) {
    const app = this.settings.appId;
    const id = await this.emulator.session({ consumer, app, service, size });
    return { id, token: sign({ secret: this.settings.sessionSecret, id, consumer, service, size, ...more }) };
  }

  /** Sends bytes as they are; resolves with the answers to requests of these methods. */
  raw(bytes, methods) {
    return exchange(this.url, bytes, methods);
  }

  /** Runs `act`, and returns the requests that the proxy has sent upstream meanwhile. */
  async reached(act) {
    const mark = this.relay.requests.length;
    await act(this);
    return this.relay.since(mark);
  }
}

/** Waits until something is so; the suite's own limit ends what never is. */
export async function until(check) {
  for (;;) {
    const found = await check();
    if (found) return found;
    await sleep(10);
  }
}
