import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, replaceSection, table, targets } from "../lib/table.js";

test("a table has a head, a rule and its rows", () => {
  assert.equal(table(["", "s"], [["a", "1"], ["b", "2"]]), "|  | s |\n|---|---|\n| a | 1 |\n| b | 2 |");
});

test("figures are grouped and rounded, and what is not known is a dash", () => {
  assert.equal(figure(12345.67, 1), "12,345.7");
  assert.equal(figure(0.5), "1");
  assert.equal(figure(undefined, 2), "–");
  assert.equal(figure(Number.NaN), "–");
});

test("a section is replaced between its markers, and nothing else", () => {
  const document = "before\n<!-- bench:begin a -->\nold\n<!-- bench:end a -->\nafter\n<!-- bench:begin b -->\n<!-- bench:end b -->\n";
  const replaced = replaceSection(document, "a", "new\n");
  assert.equal(replaced, document.replace("old", "new"));
  assert.equal(replaceSection(replaced, "b", "b"), replaced.replace("begin b -->\n", "begin b -->\nb\n"));
});

test("a document without the section is refused", () => {
  assert.throws(() => replaceSection("<!-- bench:end a --> <!-- bench:begin a -->", "a", ""), /no section/);
  assert.throws(() => replaceSection("", "a", ""), /bench:begin a/);
});

test("a target says whether it is met, and by how much not", () => {
  const lines = (...list) => targets(list).split("\n").slice(2);
  assert.deepEqual(lines({ what: "a", value: 1.02, most: 1.02 }), ["| a | at most 1.02 | 1.02 | met |"]);
  assert.deepEqual(lines({ what: "a", value: 1.05, most: 1 }), ["| a | at most 1.00 | 1.05 | **missed by 5.0 %** |"]);
  assert.deepEqual(lines({ what: "a", value: 1, least: 2 }), ["| a | at least 2.00 | 1.00 | **missed by 50 %** |"]);
  assert.deepEqual(lines({ what: "a", value: 3, least: 2, unit: " ms", digits: 0 }), ["| a | at least 2 ms | 3 ms | met |"]);
  // What was not measured is not met.
  assert.match(lines({ what: "a", value: undefined, most: 1 })[0], /missed/);
});
