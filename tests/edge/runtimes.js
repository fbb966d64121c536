// The runtimes that the handler is tested on. Each serves several proxies from one process.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { Miniflare } from "miniflare";

import { addresses, stop } from "./processes.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const WASM = "upload-session/edge.wasm";
/** Not newer than the workerd in the lockfile. */
const COMPATIBILITY_DATE = "2026-04-20";

/**
 * Each starts a process that serves proxies, by name, each with an environment of its own; resolves with their
 * addresses, and what the process has written so far.
 */
export const RUNTIMES = { workerd: startWorkerd, node: startNode };

async function startWorkerd(environments) {
  const names = Object.keys(environments);
  const workers = await Promise.all(names.map((name) => worker(name, environments[name])));
  let log = "";
  const handleRuntimeStdio = (...streams) => streams.forEach((stream) => stream.on("data", (text) => (log += text)));
  const miniflare = new Miniflare({ workers, handleRuntimeStdio });
  await miniflare.ready;
  const urls = await Promise.all(names.map(async (name) => [name, (await miniflare.unsafeGetDirectURL(name)).origin]));
  return { urls: Object.fromEntries(urls), log: () => log, stop: () => miniflare.dispose() };
}

function worker(name, bindings) {
  const { unguarded } = bindings.SETTINGS;
  return describeWorker(name, unguarded ? "unguarded-worker.js" : "worker.js", bindings, !unguarded);
}

async function describeWorker(name, entry, bindings, hasModule) {
  const modules = [{ type: "ESModule", path: `${HERE}worker.js`, contents: await bundle(entry) }];
  if (hasModule) {
    const contents = await readFile(fileURLToPath(import.meta.resolve(WASM)));
    modules.push({ type: "CompiledWasm", path: `${HERE}${WASM}`, contents });
  }
  return {
    name,
    modules,
    modulesRoot: HERE,
    bindings,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ["enable_request_signal"],
    // A socket of the worker's own: nothing of miniflare's stands before it, and requests come as they were written.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** Starts a worker without settings, of one of the scripts beside this one. */
export async function startWorker(entry) {
  const miniflare = new Miniflare({ workers: [await describeWorker("worker", entry, {}, true)] });
  const { origin } = await miniflare.unsafeGetDirectURL("worker");
  return { url: origin, stop: () => miniflare.dispose() };
}

async function bundle(entry) {
  const options = {
    entryPoints: [`${HERE}${entry}`],
    bundle: true,
    format: "esm",
    target: "es2022",
    external: [WASM],
    write: false,
  };
  const { outputFiles } = await build(options);
  return outputFiles[0].text;
}

async function startNode(environments) {
  const names = Object.keys(environments);
  const child = spawn(process.execPath, [`${HERE}serve.js`, JSON.stringify(Object.values(environments))], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const found = await addresses(child, /^(http:\/\/127\.0\.0\.1:\d+)$/, names.length);
  const urls = Object.fromEntries(names.map((name, index) => [name, found[index]]));
  return { urls, log: () => log, stop: () => stop(child) };
}
