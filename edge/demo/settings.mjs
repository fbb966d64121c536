// What wrangler.toml says, for tools beside wrangler.

import { readFile } from "node:fs/promises";

/** Reads a setting of wrangler.toml that is a text or a list of texts: these are written as in JSON. */
export async function setting(name) {
  const text = await readFile(new URL("../wrangler.toml", import.meta.url), "utf8");
  return JSON.parse(new RegExp(`^${name} = (.*)$`, "m").exec(text)[1]);
}
