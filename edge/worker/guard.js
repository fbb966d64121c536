// What stands before the worker's own routes: whose page asks, who is signed in, and how a failure is answered.

import { answer, Refusal, refusalOf } from "./answers.js";
import { authorize } from "./login.js";

/** Makes a fetch handler of `route(request, env, context, grant)`, for callers who are signed in. */
export function guarded(route) {
  return fromHere(async (request, env, context) => {
    const grant = await authorize(request, env);
    if (!grant) throw new Refusal(401, "UnauthorizedError", "Sign in first.");
    return route(request, env, context, grant);
  });
}

/** Makes a fetch handler of a route that resolves to an answer or rejects, e.g. with a Refusal; closed to foreign pages. */
export function fromHere(route) {
  return async (request, env, context) => {
    try {
      if (!isFromHere(request)) throw new Refusal(403, "ForbiddenError", "Pages of other origins may not ask this.");
      return await route(request, env, context);
    } catch (error) {
      return answer(refusalOf(error));
    }
  };
}

/**
 * Says whether a page of this origin asks, or a program. Browsers send cookies along with what any page asks for, so a
 * page of another origin must not get as far as being recognised. The proxy keeps to the same rule.
 */
function isFromHere(request) {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  // "null" hides where it comes from: a sandboxed frame, for one.
  if (origin === "null") return false;
  if (origin === null) return site !== "cross-site" && site !== "same-site";
  return site === "same-origin" || origin === new URL(request.url).origin;
}
