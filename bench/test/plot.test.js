import assert from "node:assert/strict";
import { test } from "node:test";
import { plot } from "../lib/plot.js";

const BARS = [
  { label: "limit", speed: 300, ratio: 1, kind: "plain" },
  { label: "ours & <best>", speed: 150, ratio: 0.5, kind: "ours" },
];

test("a bar is as long as its speed, beside the limit's", () => {
  const svg = plot(BARS, "MiB/s");
  const [limit, ours] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  assert.ok(Math.abs(limit / ours - 2) < 0.01, `${limit} and ${ours}`);
  const [, line] = /<line class="limit" x1="([\d.]+)"/.exec(svg);
  const [, begin] = /<rect class="\w+" x="([\d.]+)"/.exec(svg);
  assert.ok(Math.abs(Number(line) - Number(begin) - limit) < 0.2);
});

test("it says its numbers, and is told apart by class", () => {
  const svg = plot(BARS, "MiB/s");
  assert.match(svg, />150 \(0\.50 ×\)</);
  // One bar, and the legend.
  assert.equal(svg.match(/<rect class="ours"/g).length, 2);
  assert.match(svg, /<desc>limit: 300 MiB\/s; ours/);
});

test("labels are text, not markup", () => {
  const svg = plot(BARS, "a < b");
  assert.match(svg, /ours &amp; &lt;best>/);
  assert.match(svg, /<title>a &lt; b<\/title>/);
});

test("nothing leaves the picture", () => {
  const svg = plot([{ label: "a", speed: 401, ratio: 1, kind: "plain" }], "MiB/s");
  const width = Number(/viewBox="0 0 (\d+) /.exec(svg)[1]);
  const right = [...svg.matchAll(/ x2?="([\d.]+)"/g)].map(([, x]) => Number(x));
  assert.ok(Math.max(...right) < width);
});
