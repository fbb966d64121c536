// Writes the README's usage example to a file of its own, for tsc and for the end-to-end test that runs it.
import { readFileSync, writeFileSync } from "node:fs";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```js\n([^]*?)```/g)];
if (examples.length !== 1) {
  throw new Error(`README.md has ${examples.length} JavaScript examples, and must have exactly one`);
}
writeFileSync(new URL("readme-example.generated.js", import.meta.url), examples[0][1]);
