// Every command of the project that the documentation names exists.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, complaint, xtaskHelp } from "./commands.js";
import { allBlocks, inlineCode, markdownFiles } from "./markdown.js";

const SHELLS = ["sh", "console"];
const help = xtaskHelp();

test("every cargo xtask and npm script in a shell block exists", () => {
  const commands = allBlocks()
    .filter(({ language }) => SHELLS.includes(language))
    .flatMap((block) => commandsOf(block).map((command) => ({ ...command, at: `${block.file}:${block.line}` })));
  assert.ok(commands.length >= 5, `${commands.length} commands were found`);
  assert.deepEqual(commands.flatMap((command) => complaint(command, help)?.concat(`, ${command.at}`) ?? []), []);
});

test("every cargo xtask in the prose exists", () => {
  const prose = markdownFiles().filter((file) => file !== "CHANGELOG.md");
  const commands = prose.flatMap((file) =>
    inlineCode(file)
      .filter((code) => code.startsWith("cargo xtask"))
      .flatMap((text) => commandsOf({ file, language: "sh", text }).map((command) => ({ ...command, at: file }))),
  );
  assert.ok(commands.length >= 10, `${commands.length} commands were found`);
  assert.deepEqual(commands.flatMap((command) => complaint(command, help)?.concat(`, ${command.at}`) ?? []), []);
});

test("commands that do not exist are found", () => {
  const complaintsOf = (text) => commandsOf({ file: "README.md", language: "sh", text }).flatMap((one) => complaint(one, help) ?? []);
  assert.deepEqual(complaintsOf("cargo xtask demo --edge --port 80  # a comment\ncd tests/e2e && npm test"), []);
  assert.deepEqual(complaintsOf("cargo xtask nonsense"), ["cargo xtask knows no nonsense"]);
  assert.deepEqual(complaintsOf("cargo xtask demo --nonsense"), ["cargo xtask knows no --nonsense"]);
  assert.deepEqual(complaintsOf("cd tests/e2e\nnpm run nonsense"), ["tests/e2e/package.json has no script nonsense"]);
  assert.deepEqual(complaintsOf("npm nonsense"), ["npm has no nonsense"]);
});
