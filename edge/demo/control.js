// The emulator's control API for the demo's page, kept to the visitor's own uploads. Nothing like it is in production.

import { Refusal } from "../worker/answers.js";

const OWN = { GET: ["faults"], POST: ["faults", "settings"], DELETE: ["faults"] };

/** Passes a request on to the emulator as the visitor's own. */
export async function control(request, env, context, { consumerId }) {
  const { pathname } = new URL(request.url);
  const target = new URL(pathname, env.UPSTREAM);
  const [, , resource, id] = pathname.split("/");
  if (OWN[request.method]?.includes(resource) && id === undefined) {
    target.searchParams.set("consumer_id", consumerId);
    const body = request.method === "POST" ? JSON.stringify(asOwn(await request.json(), consumerId)) : undefined;
    return fetch(target, { method: request.method, headers: { "content-type": "application/json" }, body });
  }
  if (request.method === "GET" && resource === "files" && id && (await isOwn(id, consumerId, env))) return fetch(target);
  throw new Refusal(404, "EntityNotFoundError", "There is nothing here.");
}

function asOwn(body, consumerId) {
  const own = (entry) => ({ ...entry, consumer_id: consumerId });
  return Array.isArray(body) ? body.map(own) : own(body);
}

async function isOwn(id, consumerId, env) {
  const response = await fetch(new URL(`/_emulator/files/${id}/info`, env.UPSTREAM));
  return response.ok && (await response.json()).consumer_id === consumerId;
}
