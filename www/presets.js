// What the page's address may preset: ?service=dropbox&concurrency=4&body=blob&transport=xhr&direct=never&restart=true
// &stallTimeout=30000&consumer=someone

import { SERVICES, serviceById } from "./services.js";

const BODIES = ["auto", "blob", "buffer"];
const TRANSPORTS = ["fetch", "xhr"];
const DIRECTS = ["auto", "never"];
const MAX_CONCURRENCY = 6;

/**
 * Reads the presets from a query string, `defaults` counting where it has none. A value that is none of those allowed
 * is left at its default, and named in `problems`, a list of sentences.
 */
export function readPresets(search, defaults = {}) {
  const query = new URLSearchParams(search);
  const presets = {
    service: serviceById(defaults.service)?.id ?? SERVICES[0].id,
    concurrency: 4,
    body: "auto",
    transport: "fetch",
    direct: "auto",
    restart: false,
    stallTimeout: 30_000,
    consumer: defaults.consumer,
    problems: [],
  };

  const take = (name, isValid, allowed, convert = (value) => value) => {
    const value = query.get(name);
    if (value === null) return;
    if (isValid(value)) presets[name] = convert(value);
    else presets.problems.push(`The address asks for ${name} “${value}”; it can be ${allowed}. Using ${presets[name]}.`);
  };
  const takeOneOf = (name, values, convert) => take(name, (value) => values.includes(value), values.join(", "), convert);
  take("service", (value) => serviceById(value) !== undefined, SERVICES.map((service) => service.id).join(", "));
  take("concurrency", (value) => new RegExp(`^[1-${MAX_CONCURRENCY}]$`).test(value), `1 to ${MAX_CONCURRENCY}`, Number);
  takeOneOf("body", BODIES);
  takeOneOf("transport", TRANSPORTS);
  takeOneOf("direct", DIRECTS);
  takeOneOf("restart", ["true", "false"], (value) => value === "true");
  take("stallTimeout", (value) => /^[1-9]\d{2,6}$/.test(value), "100 to 9999999 (milliseconds)", Number);
  take("consumer", (value) => /^[\w-]{1,64}$/.test(value), "up to 64 letters, digits, hyphens and underscores");
  return presets;
}
