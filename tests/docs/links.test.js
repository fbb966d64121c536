// Every link between the project's Markdown files, and to a heading in one, leads somewhere.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ROOT, markdownFiles } from "./markdown.js";

const MODULES = fileURLToPath(new URL("node_modules", import.meta.url));

/** Has remark look at files; returns its exit code and what it says. */
function validate(files, folder) {
  // Not the git remote: links are looked up in this folder alone.
  const plugin = `${path.join(MODULES, "remark-validate-links/index.js")}=repository:false,root:"./"`;
  const remark = path.join(MODULES, "remark-cli/cli.js");
  const options = ["--frail", "--quiet", "--no-stdout", "--no-config", "--no-ignore", "--no-color", `--use=${plugin}`];
  const { status, stderr, error } = spawnSync(process.execPath, [remark, ...options, ...files], {
    cwd: folder,
    encoding: "utf8",
  });
  if (error) throw error;
  return { status, said: stderr };
}

test("every link and every anchor leads somewhere", () => {
  const { status, said } = validate(markdownFiles(), ROOT);
  assert.equal(said, "");
  assert.equal(status, 0);
});

test("a link to a file or a heading that is not there is found", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "upload-session-docs-"));
  try {
    writeFileSync(path.join(folder, "a.md"), "# A\n\n[file](c.md), [heading](b.md#nothing), [fine](b.md#a-heading)\n");
    writeFileSync(path.join(folder, "b.md"), "# B\n\n## A heading\n");
    const { status, said } = validate(["a.md", "b.md"], folder);
    assert.equal(status, 1);
    assert.match(said, /c\.md/);
    assert.match(said, /nothing/);
    assert.doesNotMatch(said, /a-heading/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
