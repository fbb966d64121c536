// Chromium's own record of what its threads did, over the DevTools protocol: finer than the 50 ms of `longtask` entries.

import { once } from "node:events";
import WebSocket from "ws";

/** Tasks of every thread, and the marks that the page sets at the begin and the end of the upload. */
const CATEGORIES = ["toplevel", "blink.user_timing"];
const TASK = "ThreadControllerImpl::RunTask";
const BUFFER_KIB = 1024 * 1024;

/** Records while `run` runs; resolves with what it gives, and the events of the trace. */
export async function trace(driver, run) {
  const { debuggerAddress } = (await driver.getCapabilities()).get("goog:chromeOptions") ?? {};
  if (!debuggerAddress) throw new Error("only Chromium can be traced");
  const browser = await connect(debuggerAddress);
  try {
    const traceConfig = { includedCategories: CATEGORIES, excludedCategories: ["*"], traceBufferSizeInKb: BUFFER_KIB };
    await browser.call("Tracing.start", { traceConfig, transferMode: "ReturnAsStream" });
    const result = await run();
    const complete = browser.event("Tracing.tracingComplete");
    await browser.call("Tracing.end");
    const { stream, dataLossOccurred } = await complete;
    if (dataLossOccurred) throw new Error("the trace is incomplete: its buffer was too small");
    return { result, events: JSON.parse(await browser.read(stream)).traceEvents };
  } finally {
    browser.close();
  }
}

/** Connects to the browser's own endpoint: that of the page is the driver's. */
async function connect(address) {
  const { webSocketDebuggerUrl } = await (await fetch(`http://${address}/json/version`)).json();
  const socket = new WebSocket(webSocketDebuggerUrl, { maxPayload: 0 });
  await once(socket, "open");
  const answers = new Map();
  const listeners = new Map();
  let last = 0;
  socket.on("message", (text) => {
    const { id, method, result, error, params } = JSON.parse(text);
    if (method) listeners.get(method)?.(params);
    else answers.get(id)(error ? Promise.reject(new Error(error.message)) : result);
  });
  const call = (method, params = {}) => new Promise((resolve) => {
    answers.set(++last, resolve);
    socket.send(JSON.stringify({ id: last, method, params }));
  });
  return {
    call,
    event: (method) => new Promise((resolve) => listeners.set(method, resolve)),
    async read(handle) {
      const pieces = [];
      for (;;) {
        const { data, eof } = await call("IO.read", { handle, size: 8 * 1024 * 1024 });
        pieces.push(data);
        if (eof) return pieces.join("");
      }
    },
    close: () => socket.close(),
  };
}

/**
 * The tasks of the thread that set the marks `upload-begin` and `upload-end`, between them: in milliseconds the longest by the
 * clock and by the time that the thread ran, and how many took more than 50 by the clock.
 */
export function mainThreadTasks(events) {
  const mark = (name) => {
    const found = events.find((event) => event.name === name && event.cat.includes("user_timing"));
    if (!found) throw new Error(`the trace has no mark ${name}`);
    return found;
  };
  const [begin, end] = [mark("upload-begin"), mark("upload-end")];
  const tasks = events.filter(({ name, pid, tid, ts, dur }) =>
    name === TASK && pid === begin.pid && tid === begin.tid && ts + dur > begin.ts && ts < end.ts);
  if (tasks.length === 0) throw new Error("the trace has no task of the page's thread");
  const longest = (field) => tasks.reduce((most, task) => Math.max(most, (task[field] ?? 0) / 1000), 0);
  return { count: tasks.length, wall: longest("dur"), cpu: longest("tdur"), long: tasks.filter(({ dur }) => dur > 50_000).length };
}
