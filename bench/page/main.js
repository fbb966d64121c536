// Runs one contestant on the file that is picked: `?contestant=limit&thread=page&…`, the rest of the query being its options.

const query = Object.fromEntries(new URLSearchParams(location.search));
const options = { ...query, server: query.server ?? location.origin, inFlight: Number(query.inFlight) };

/** The contestant as it is, or behind a dedicated worker. */
async function load() {
  if (options.thread === "page") {
    const contestant = await import(`./contestants/${options.contestant}.js`);
    await contestant.prepare?.(options);
    return contestant;
  }
  const worker = new Worker("./worker.js", { type: "module" });
  const ask = (message) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = ({ message: text }) => reject(new Error(text));
    worker.postMessage(message);
  });
  await ask({ options });
  return { upload: (file) => ask({ file }) };
}

const loading = load();

const result = new Promise((resolve, reject) => {
  document.querySelector("input").addEventListener("change", async ({ target }) => {
    try {
      const { upload, facts } = await loading;
      const file = target.files[0];
      const begin = performance.mark("upload-begin");
      await upload(file, options);
      const end = performance.mark("upload-end");
      resolve({ seconds: (end.startTime - begin.startTime) / 1000, bytes: file.size, ...facts?.() });
    } catch (error) {
      reject(error);
    }
  });
});
const ready = loading.then(() => true);
result.catch(() => {});
ready.catch(() => {});

/** What the command asks for; an error comes as its text, which WebDriver can carry. */
const told = (promise, done) => promise.then((value) => done({ value }), (error) => done({ error: `${error}\n${error?.stack ?? ""}` }));
globalThis.bench = { ready: (done) => told(ready, done), result: (done) => told(result, done) };
