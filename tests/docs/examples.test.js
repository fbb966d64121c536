// Every example in the documentation compiles against the package's types.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, kindOf } from "./compile.js";
import { allBlocks, blocks } from "./markdown.js";

/** Languages of blocks that are no program of ours. */
const OTHER = ["sh", "console", "text", "json", "toml", "nginx", "rust,no_run"];

const found = allBlocks();
const programs = found.filter((block) => kindOf(block).place);
const complaints = compile(programs);

for (const block of programs) {
  test(`${block.file}:${block.line} compiles`, () => assert.deepEqual(complaints.get(block), []));
}

test("every block is compiled, or of a language that is not", () => {
  const unknown = found.filter((block) => !programs.includes(block) && !OTHER.includes(block.language));
  assert.deepEqual(unknown.map(({ file, line, language }) => `${file}:${line}: "${language}"`), []);
  assert.ok(programs.length >= 5, `${programs.length} examples were found`);
});

test("the guides' and the README's examples are among them", () => {
  for (const file of ["README.md", "docs/edge.md"]) assert.ok(programs.some((block) => block.file === file), file);
});

const complaintsOf = (markdown) => [...compile(blocks("example.md", markdown)).values()].flat();

test("an example that uses the package wrongly is found, at its line", () => {
  const markdown = 'Text\n\n```js\nimport { UploadSession } from "upload-session";\nnew UploadSession(new Blob(), {});\n```\n';
  const [complaint, ...more] = complaintsOf(markdown);
  assert.match(complaint, /^example\.md:5: .*parentFolderId/s);
  assert.deepEqual(more, []);
});

test("a module in HTML is compiled, at its line", () => {
  const markdown = '```html\n<progress></progress>\n<script type="module">\n  document.querySelector("progress").valu = 1;\n</script>\n```\n';
  assert.match(complaintsOf(markdown).join(), /^example\.md:4: .*valu/);
});

test("what a fragment takes for granted is no one else's", () => {
  assert.deepEqual(complaintsOf("```js fragment\nsession.pause();\n```\n"), []);
  assert.match(complaintsOf("```js\nsession.pause();\n```\n").join(), /example\.md:2: .*session/);
});

test("a mark that nobody knows is refused", () => {
  assert.throws(() => complaintsOf("```js unchecked\nsession.pause();\n```\n"), /unknown mark: unchecked/);
});
