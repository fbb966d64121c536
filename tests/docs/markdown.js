// The project's Markdown files, and the code blocks in them.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fromMarkdown } from "mdast-util-from-markdown";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Every Markdown file that belongs to the project, relative to its root. */
export function markdownFiles() {
  const arguments_ = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"];
  const files = execFileSync("git", arguments_, { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean).sort();
  if (!files.includes("README.md")) throw new Error("git lists no README.md");
  return files;
}

/** Every code block of all files. */
export function allBlocks() {
  return markdownFiles().flatMap((file) => blocks(file, readFileSync(path.join(ROOT, file), "utf8")));
}

/**
 * The code blocks of one file, in order: its name, the block's language, the words behind that, the text, and the
 * line of the file that the text begins in. A `fragment` is a block that may use what is declared in fragment.d.ts.
 */
export function blocks(file, markdown) {
  return nodes(fromMarkdown(markdown), "code").map(({ lang, meta, value, position }) => ({
    file,
    language: lang ?? "",
    words: (meta ?? "").split(" ").filter(Boolean),
    text: value,
    line: position.start.line + 1,
  }));
}

/** What stands in `backticks` in a file's prose. */
export function inlineCode(file) {
  return nodes(fromMarkdown(readFileSync(path.join(ROOT, file), "utf8")), "inlineCode").map(({ value }) => value);
}

function nodes(node, type) {
  if (node.type === type) return [node];
  return (node.children ?? []).flatMap((child) => nodes(child, type));
}
