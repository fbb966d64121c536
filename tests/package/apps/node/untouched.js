// Imports the entry named first while every global of the platform throws when it is looked at. `TextDecoder`, which
// wasm-bindgen makes one of at once, and `FinalizationRegistry`, of ECMAScript, stay.
const NAMES = [
  "window", "self", "document", "navigator", "location", "history", "screen", "localStorage", "sessionStorage", "indexedDB",
  "caches", "crypto", "performance", "fetch", "Request", "Response", "Headers", "FormData", "XMLHttpRequest", "WebSocket",
  "Worker", "SharedWorker", "ServiceWorker", "MessageChannel", "BroadcastChannel", "WebAssembly", "Blob", "File", "FileReader",
  "ReadableStream", "WritableStream", "TransformStream", "AbortController", "AbortSignal", "Event", "EventTarget", "CustomEvent",
  "addEventListener", "removeEventListener", "dispatchEvent", "postMessage", "onmessage", "importScripts", "structuredClone",
  "setTimeout", "setInterval", "requestAnimationFrame", "alert", "URL", "URLSearchParams", "process", "Buffer", "global",
];
const touched = new Set();
for (const name of NAMES) {
  const touch = () => {
    touched.add(name);
    throw new Error(`${name} was touched`);
  };
  Object.defineProperty(globalThis, name, { configurable: true, get: touch, set: touch });
}
const { default: node } = await import("node:process");
await import(node.argv[2]);
// An access that is caught is one all the same.
if (touched.size > 0) throw new Error(`touched: ${[...touched].join(", ")}`);
node.stdout.write("untouched\n");
