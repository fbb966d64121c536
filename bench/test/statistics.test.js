import assert from "node:assert/strict";
import { test } from "node:test";
import { median, ratioByRound, rotate } from "../lib/statistics.js";
import { speedRatio } from "../lib/summary.js";

test("the median is the middle, or halfway between the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /no median/);
});

test("a ratio is taken within each round: a slow round leaves it as it is", () => {
  assert.equal(ratioByRound([2, 20, 2], [1, 10, 1]), 2);
  assert.throws(() => ratioByRound([1, 2], [1]), /2 rounds cannot be compared with 1/);
});

test("each round begins with another contestant, and has them all", () => {
  const orders = [0, 1, 2, 3].map((round) => rotate(["a", "b", "c"], round).join(""));
  assert.deepEqual(orders, ["abc", "bca", "cab", "abc"]);
});

test("who takes half the time is twice as fast, and who did not take part has no ratio", () => {
  const of = (...seconds) => seconds.map((each) => ({ seconds: each }));
  const measured = { limit: of(1, 2), ours: of(2, 4) };
  assert.equal(speedRatio(measured, "ours", "limit"), 0.5);
  assert.equal(speedRatio(measured, "limit", "ours"), 2);
  assert.equal(speedRatio(measured, "ours", "apideck"), undefined);
});
