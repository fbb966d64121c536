import { run } from "./run.js";

const worker = new Worker(new URL("./own-worker.js", import.meta.url), { type: "module" });

run(undefined, (file, options) => new Promise((resolve, reject) => {
  worker.onerror = ({ message }) => reject(new Error(message ?? "the worker cannot be loaded"));
  worker.onmessage = ({ data }) => (data.file && data.warnings.length === 0 ? resolve(data.file) : reject(new Error(JSON.stringify(data))));
  worker.postMessage({ file, options });
}));
