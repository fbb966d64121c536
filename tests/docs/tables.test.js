// What the types list, the guides' tables list too: nothing is missing there, and nothing there is made up.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { ROOT } from "./markdown.js";

const TYPES = "pkg/index.d.ts";
const read = (file) => readFileSync(path.join(ROOT, file), "utf8");
const source = ts.createSourceFile(TYPES, read(TYPES), ts.ScriptTarget.ES2022, true);

/** The strings of a union, or the properties of an interface; those of objects in it as `outer.inner`. */
function namesOf(type) {
  const declaration = source.statements.find((statement) => statement.name?.text === type);
  if (ts.isTypeAliasDeclaration(declaration)) return declaration.type.types.map((member) => member.literal.text);
  return declaration.members.flatMap(({ name, type }) =>
    ts.isTypeLiteralNode(type) && declaration.name.text === "Progress"
      ? type.members.map((inner) => `${name.text}.${inner.name.text}`)
      : [name.text],
  );
}

/** The `names` in the first column of the table behind a heading. */
function rowsOf(guide, heading) {
  const [, section] = read(guide).split(`\n## ${heading}\n`);
  const rows = section.split("\n## ")[0].matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm);
  return [...rows].flatMap(([, names]) => names.split(", ").map((name) => name.replaceAll("`", "")));
}

const TABLES = {
  UploadErrorCode: ["docs/errors-and-retries.md", "Codes"],
  UploadState: ["docs/progress-and-ui.md", "States"],
  UploadEvents: ["docs/progress-and-ui.md", "Events"],
  Progress: ["docs/progress-and-ui.md", "Progress figures"],
};

for (const [type, [guide, heading]] of Object.entries(TABLES)) {
  test(`${guide}, "${heading}", has every name of ${type} and no other`, () => {
    assert.deepEqual(rowsOf(guide, heading).sort(), namesOf(type).sort());
  });
}

test("the guide's warnings are those that the types name", () => {
  const { members } = source.statements.find((statement) => statement.name?.text === "UploadEvents");
  const warning = members.find(({ name }) => name.text === "warning");
  const named = [...warning.getFullText().matchAll(/`(\w+)` \(/g)].map(([, code]) => code);
  assert.ok(named.length >= 6, named.join());
  assert.deepEqual(rowsOf("docs/errors-and-retries.md", "Warnings").sort(), named.sort());
});
