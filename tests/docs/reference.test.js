// The API reference has a description of everything that the package exports, and no dead link.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));

function typedoc(...options) {
  const program = path.join(HERE, "node_modules/typedoc/bin/typedoc");
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [program, ...options], {
    cwd: HERE,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  if (error) throw error;
  return { status, said: stdout + stderr };
}

test("the reference is made without a warning, and has every entry point", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "upload-session-docs-"));
  try {
    const { status, said } = typedoc("--out", folder);
    assert.equal(status, 0, said);
    assert.doesNotMatch(said, /warning/);
    const pages = [
      "index.html",
      "classes/upload-session.UploadSession.html",
      "functions/upload-session_worker.default.html",
      "functions/upload-session_edge.ingest.html",
    ];
    for (const page of pages) {
      assert.ok(existsSync(path.join(folder, page)), page);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an export without a description, and a link to nothing, are warnings that fail", () => {
  const { status, said } = typedoc("--emit", "none", "--entryPoints", "faulty.ts");
  assert.notEqual(status, 0);
  assert.match(said, /undescribed.*does not have any documentation/);
  assert.match(said, /Failed to resolve link to "nothing"/);
});
