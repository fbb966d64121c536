import assert from "node:assert/strict";
import { test } from "node:test";
import { mainThreadTasks } from "../lib/trace.js";

const mark = (name, ts) => ({ name, cat: "blink.user_timing", ph: "I", pid: 7, tid: 1, ts });
const task = (ts, dur, tdur, more = {}) => ({ name: "ThreadControllerImpl::RunTask", cat: "toplevel", ph: "X", pid: 7, tid: 1, ts, dur, tdur, ...more });
const MARKS = [mark("upload-begin", 1_000_000), mark("upload-end", 2_000_000)];

test("the longest task of the page's thread is found, by the clock and by CPU time", () => {
  const events = [...MARKS, task(1_100_000, 60_000, 5_000), task(1_300_000, 20_000, 19_000)];
  assert.deepEqual(mainThreadTasks(events), { count: 2, wall: 60, cpu: 19, long: 1 });
});

test("tasks of other threads and processes, and of before and after, do not count", () => {
  const others = [
    task(1_100_000, 90_000, 90_000, { tid: 2 }),
    task(1_100_000, 90_000, 90_000, { pid: 8 }),
    task(1_100_000, 90_000, 90_000, { name: "EpollEvent" }),
    task(800_000, 90_000, 90_000),
    task(2_100_000, 90_000, 90_000),
  ];
  const { count, wall } = mainThreadTasks([...MARKS, ...others, task(1_500_000, 1_000, 1_000)]);
  assert.deepEqual([count, wall], [1, 1]);
});

test("a task in which the upload begins or ends counts", () => {
  assert.equal(mainThreadTasks([...MARKS, task(990_000, 30_000, 1), task(1_995_000, 10_000, 1)]).count, 2);
});

test("a trace that lacks the marks or the tasks is refused", () => {
  assert.throws(() => mainThreadTasks([MARKS[0], task(1_100_000, 1, 1)]), /no mark upload-end/);
  assert.throws(() => mainThreadTasks(MARKS), /no task/);
});
