// The environment: what the deployment sets in wrangler.toml, and its secrets.

/**
 * Something in the environment is missing or cannot be meant so. Its message names the setting, never its value; it goes to
 * the log at once, as whoever catches the error may not know that it is fit for one.
 */
export class Misconfigured extends Error {
  name = "Misconfigured";

  constructor(message) {
    super(message);
    console.error(message);
  }
}

/** Returns a setting that there has to be. */
export function required(env, name) {
  const value = optional(env, name);
  if (value === undefined) throw new Misconfigured(`${name} is not set`);
  return value;
}

/** Returns a setting; where it is absent or empty, `otherwise`. */
export function optional(env, name, otherwise) {
  const value = env[name];
  return typeof value === "string" && value !== "" ? value : otherwise;
}

/** Returns the words of a setting, which are separated by blanks or commas. */
export function words(env, name) {
  return optional(env, name, "").split(/[\s,]+/).filter(Boolean);
}
