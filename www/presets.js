// What the page's address may preset: ?service=dropbox&concurrency=4&body=blob

import { SERVICES, serviceById } from "./services.js";

const BODIES = ["auto", "blob", "buffer"];
const MAX_CONCURRENCY = 6;

/**
 * Reads the presets from a query string. A value that is none of those allowed is left at its default,
 * and named in `problems`, a list of sentences.
 */
export function readPresets(search) {
  const query = new URLSearchParams(search);
  const presets = { service: SERVICES[0].id, concurrency: 4, body: "auto", problems: [] };

  const take = (name, isValid, allowed, convert = (value) => value) => {
    const value = query.get(name);
    if (value === null) return;
    if (isValid(value)) presets[name] = convert(value);
    else presets.problems.push(`The address asks for ${name} “${value}”; it can be ${allowed}. Using ${presets[name]}.`);
  };
  take("service", (value) => serviceById(value) !== undefined, SERVICES.map((service) => service.id).join(", "));
  take("concurrency", (value) => new RegExp(`^[1-${MAX_CONCURRENCY}]$`).test(value), `1 to ${MAX_CONCURRENCY}`, Number);
  take("body", (value) => BODIES.includes(value), BODIES.join(", "));
  return presets;
}
