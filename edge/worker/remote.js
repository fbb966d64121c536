// Fetches what lies on hosts that the deployment lists, and nothing else: whoever may name an address must not get the
// worker to ask addresses that only the worker can reach.

import { Refusal } from "./answers.js";
import { Misconfigured } from "./settings.js";

const MAX_REDIRECTS = 5;
/** A name as the URL parser writes it; no IP address ends so. */
const HOST = /^([a-z0-9_-]+\.)+[a-z][a-z0-9-]*$/;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Asks for an address on one of `hosts`, following redirects within them. Resolves to {response, body}. */
export async function fetchListed(address, hosts, signal) {
  hosts.forEach(checkHost);
  let url = listed(address, undefined, hosts);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await ask(url, signal);
    if (response.ok) return { response, body: response.body ?? new Response("").body };
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) {
      throw new Refusal(502, "BadGatewayError", `The address was answered with ${response.status}.`);
    }
    url = listed(location, url, hosts);
  }
  throw new Refusal(502, "BadGatewayError", `There are more than ${MAX_REDIRECTS} redirects.`);
}

/** Returns the URL where it may be asked. Redirects come through here as well. */
function listed(address, base, hosts) {
  const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
  if (url?.protocol !== "https:") throw new Refusal(400, "RequestValidationError", "The address is no https address.");
  if (url.username !== "" || url.password !== "") {
    throw new Refusal(400, "RequestValidationError", "The address holds credentials.");
  }
  // The parser leaves the default port out, and writes each host in one way only.
  if (url.port !== "" || !hosts.includes(url.hostname)) {
    throw new Refusal(403, "ForbiddenError", "That host is not among those that files are taken from.");
  }
  return url;
}

async function ask(url, signal) {
  try {
    // Nothing of the caller's request goes along.
    return await fetch(url, { redirect: "manual", headers: { accept: "*/*", "accept-encoding": "identity" }, signal });
  } catch {
    throw new Refusal(502, "BadGatewayError", "The address cannot be reached.");
  }
}

/** Refuses a list with anything but names of hosts: IP addresses, ports, wildcards. */
function checkHost(host) {
  if (!HOST.test(host)) throw new Misconfigured("INGEST_HOSTS takes names of hosts, exactly as they are in addresses");
}
