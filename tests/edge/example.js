// The example worker as it is deployed, bundled by wrangler, in workerd: with logins, the emulator as its upstream, and an
// internet of its own, in which every host but the loopback is one server of the test's.

import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import { Miniflare } from "miniflare";

import { bundle } from "../../edge/demo/bundle.mjs";
import { startEmulator } from "./emulator.js";

export const API_KEY = "sk_live_example-worker-0123456789";
export const LOGIN_SECRET = "what logins are signed with, 32 bytes or more";
export const ISSUER = "https://app.example.com";
export const AUDIENCE = "upload-edge";

/** What every worker's environment has where a test says nothing else. */
const ENVIRONMENT = {
  APIDECK_API_KEY: API_KEY,
  APIDECK_APP_ID: "example-app",
  SESSION_SECRET: "what session ids are signed with, 32 bytes or more",
  LOGIN_SECRET,
  LOGIN_ISSUER: ISSUER,
  LOGIN_AUDIENCE: AUDIENCE,
  INGEST_HOSTS: "files.example, cdn.files.example",
};

/** Takes what leaves the worker: to the loopback as it is, all else to the server of the test, which is told whom it plays. */
const INTERNET = `export default {
  fetch(request, env) {
    const url = new URL(request.url);
    if (url.hostname === "127.0.0.1") return fetch(request);
    const headers = new Headers(request.headers);
    headers.set("x-test-address", request.url);
    return fetch(env.SERVER + url.pathname + url.search, { headers, redirect: "manual" });
  },
};`;

/**
 * Starts workers, by name, each with an environment that differs so from the usual one (null leaves a setting out); `serve`
 * is the request listener of the internet's one server.
 */
export async function startExample(environments, serve = (request, response) => response.writeHead(404).end()) {
  const folder = await mkdtemp(path.join(tmpdir(), "upload-edge-test-"));
  const stops = [() => rm(folder, { recursive: true })];
  const stop = async () => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    const emulator = await startEmulator();
    stops.push(emulator.stop);
    const internet = await startServer(serve);
    stops.push(internet.stop);
    const options = await bundle("worker.js", folder);
    const bindings = (changes) => {
      const settings = { ...ENVIRONMENT, UPSTREAM: emulator.url, ...changes };
      return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
    };
    const names = Object.keys(environments);
    const logs = [];
    const miniflare = new Miniflare({
      handleRuntimeStdio: (...outputs) => outputs.forEach((output) => output.on("data", (text) => logs.push(String(text)))),
      workers: [
        ...names.map((name) => ({
          ...options,
          name,
          bindings: bindings(environments[name]),
          outboundService: "internet",
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        })),
        { name: "internet", modules: true, script: INTERNET, bindings: { SERVER: internet.url }, compatibilityDate: options.compatibilityDate },
      ],
    });
    stops.push(() => miniflare.dispose());
    await miniflare.ready;
    const urls = await Promise.all(names.map(async (name) => [name, (await miniflare.unsafeGetDirectURL(name)).origin]));
    // Asks the first of the workers under any address, https too.
    const ask = (url, init) => miniflare.dispatchFetch(url, init);
    return { ...Object.fromEntries(urls), ask, emulator, asked: internet.asked, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the internet's server; `asked` lists the addresses it was asked for, with the headers of each. */
async function startServer(serve) {
  const asked = [];
  const server = createServer((request, response) => {
    const { "x-test-address": address, ...headers } = request.headers;
    asked.push({ address, headers });
    serve(request, response, new URL(address));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, asked, stop };
}

/** Claims that the worker takes; `changes` are made to them, undefined leaves one out. */
export function claims(changes = {}) {
  return { sub: "alice", iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 600, ...changes };
}

/** Writes a JWT (RFC 7519) by hand, so that it can be wrong in every way: `sign` is given what is to be signed. */
export function jwt(payload, { header = { alg: "HS256" }, sign = hmac(LOGIN_SECRET) } = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${sign(signed)}`;
}

export function hmac(secret, hash = "sha256") {
  return (text) => createHmac(hash, secret).update(text).digest("base64url");
}

export function bearer(token = jwt(claims())) {
  return { authorization: `Bearer ${token}` };
}

/** Asks until it is so; a test that waits in vain runs out of its time. */
export async function until(isSo) {
  while (!(await isSo())) await new Promise(setImmediate);
}
