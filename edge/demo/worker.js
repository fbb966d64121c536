// The demo: the example worker as it is, and around it what an application has anyway: a login, and the page.

import { SignJWT } from "jose";
import worker from "../worker.js";
import { Refusal } from "../worker/answers.js";
import { fromHere, guarded } from "../worker/guard.js";
import { authorize, cookieName } from "../worker/login.js";
import { control } from "./control.js";

const SESSION_SECONDS = 12 * 60 * 60;

const ROUTES = {
  "GET /session": fromHere(readSession),
  "POST /login": fromHere(logIn),
  "POST /logout": fromHere(logOut),
};

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/file-storage/") || pathname.startsWith("/ingest")) return worker.fetch(request, env, context);
    const route = pathname.startsWith("/_emulator/") ? guarded(control) : ROUTES[`${request.method} ${pathname}`];
    return route ? route(request, env, context) : page(request, env);
  },
};

/** Tells the page who is signed in: {name}, null where nobody is. */
async function readSession(request, env) {
  return Response.json({ name: (await authorize(request, env))?.consumerId ?? null }, { headers: { "cache-control": "no-store" } });
}

/** A toy: whoever gives a name is signed in under it. A real one asks for proof. */
async function logIn(request, env) {
  const order = await request.json().catch(() => null);
  const name = order?.name;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) throw new Refusal(400, "RequestValidationError", "A name has letters, digits, - and _.");
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(name)
    .setIssuer(env.LOGIN_ISSUER)
    .setAudience(env.LOGIN_AUDIENCE)
    .setExpirationTime(`${SESSION_SECONDS}s`)
    .sign(new TextEncoder().encode(env.LOGIN_SECRET));
  return withCookie(request, token, SESSION_SECONDS);
}

function logOut(request) {
  return withCookie(request, "", 0);
}

function withCookie(request, value, seconds) {
  const url = new URL(request.url);
  const secure = url.protocol === "https:" ? "; Secure" : "";
  const cookie = `${cookieName(url)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
  return new Response(null, { status: 204, headers: { "set-cookie": cookie } });
}

/** Serves the page, and tells it that an edge stands before the API. */
async function page(request, env) {
  const response = await env.ASSETS.fetch(request);
  const mark = { element: (html) => html.setAttribute("data-edge", "") };
  return new HTMLRewriter().on("html", mark).transform(response);
}
