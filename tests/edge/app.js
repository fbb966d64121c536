// The fetch handler of the tests, for every runtime: a proxy whose options come as JSON, with a toy login.

import { createUnguardedProxy } from "./unguarded.js";

/** What a handler that throws answers: nothing else answers so. */
export const THREW = 599;

/**
 * Makes the handler. `settings` are options of createUploadProxy and besides: `grants`, by login; `fromEnv`, whether
 * secrets come from the environment; `unguarded`, for the foil.
 */
export function app(createUploadProxy, settings) {
  const { grants, fromEnv, unguarded, ...options } = settings;
  const create = unguarded ? createUnguardedProxy : createUploadProxy;
  const authorize = (request) => grantOf(grants, request);
  let handler;
  return async (request, env) => {
    try {
      handler ??= create({ ...options, ...(fromEnv && environment), authorize });
      return await handler(request, env);
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: THREW });
    }
  };
}

const environment = {
  upstream: (env) => env.UPSTREAM,
  apiKey: async (env) => env.API_KEY,
  appId: (env) => env.APP_ID,
  sessionSecret: (env) => env.SESSION_SECRET,
};

/** The toy login: a name, as a bearer token or a cookie. */
function login(request) {
  const { groups } = /^Bearer (?<name>\w+)$/.exec(request.headers.get("authorization") ?? "") ??
    /(?:^|; )login=(?<name>\w+)/.exec(request.headers.get("cookie") ?? "") ?? { groups: {} };
  return groups.name;
}

function grantOf(grants, request) {
  const name = login(request);
  const grant = Object.hasOwn(grants, name ?? "") ? grants[name] : null;
  if (grant === "body") return { consumerId: request.body === null ? "no-body" : "body" };
  if (grant === "throws") throw new Error("the login is out of order; its password is hunter2");
  return grant;
}
