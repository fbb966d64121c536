// Options on their way to the worker: what can be cloned goes there, what cannot stays here and is called from there.

import { UploadError } from "../index.js";

/**
 * Parts options that were found good: `options` can be cloned, `functions` is called from the worker, where `standIns` are
 * the options that stand for it. Throws `invalid_argument`, naming the field, where one cannot be cloned.
 */
export function split({ apiKey, store, signal, ...options }) {
  const functions = {};
  const standIns = signal ? ["signal"] : [];
  if (typeof apiKey === "function") {
    standIns.push("apiKey");
    // What is no string is refused there, as it would be here.
    functions.apiKey = async () => asString(await apiKey());
  } else {
    options.apiKey = apiKey;
  }
  if (store !== undefined && typeof store !== "string") {
    standIns.push("store");
    for (const name of ["get", "set", "delete"]) functions[name] = (...args) => store[name](...args);
  } else {
    options.store = store;
  }
  if (options.serverUrl !== undefined) {
    // A path is one of the page's: the worker's script may lie elsewhere.
    options.serverUrl = new URL(options.serverUrl, globalThis.location?.href).href;
  }
  return { options: cloned(options), standIns, functions, signal };
}

const asString = (value) => (typeof value === "string" ? value : undefined);

function cloned(options) {
  const entries = Object.entries(options).map(([name, value]) => {
    try {
      return [name, structuredClone(value)];
    } catch (cause) {
      const message = `\`${name}\` takes nothing that the structured clone algorithm refuses: it goes to a worker`;
      throw new UploadError(message, { code: "invalid_argument", retryable: false, cause });
    }
  });
  return Object.fromEntries(entries);
}
