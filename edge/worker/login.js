// Who is calling, and what they may do. Your application signs its users in, and hands each a JWT (RFC 7519): a page has
// it in a cookie that scripts cannot read, a program sends it as a bearer token. This is the file to make your own.

import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { Misconfigured, optional, required } from "./settings.js";

/** Most secrets are shorter than they look: HMAC-SHA-256 wants as many bytes as it gives. */
const SECRET_BYTES = 32;
/** What a key set's keys may sign with. A shared secret is none of them: a public key must never pass for one. */
const PUBLIC_KEY_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
/** Failures that are the key set's, and not the caller's. */
const OUTAGES = ["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"];

/**
 * Returns the caller's grant, or null where nobody is signed in. Rejects where that cannot be told: the key set is out of
 * reach, a setting is missing, or a token that is in order grants something that is none.
 */
export async function authorize(request, env) {
  const token = bearerToken(request) ?? cookie(request);
  if (token === undefined) return null;
  const { key, algorithms } = verifier(env);
  const claims = {
    algorithms,
    issuer: required(env, "LOGIN_ISSUER"),
    audience: required(env, "LOGIN_AUDIENCE"),
    requiredClaims: ["sub", "exp"],
  };
  try {
    const { payload } = await jwtVerify(token, key, claims);
    return grantOf(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError && !OUTAGES.includes(error.code)) return null;
    throw error;
  }
}

/** The name of the session's cookie; over https one that no other host, and no plain http, can have set. */
export function cookieName(url) {
  return url.protocol === "https:" ? "__Host-session" : "session";
}

/** Returns the token of an Authorization header, whatever that holds: it is never passed over for the cookie. */
function bearerToken(request) {
  return request.headers.get("authorization")?.replace(/^Bearer +/i, "");
}

function cookie(request) {
  const name = cookieName(new URL(request.url));
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

let keySet;

/** How tokens are verified: by the key set at LOGIN_JWKS_URL, or by LOGIN_SECRET; one of them has to be set, not both. */
function verifier(env) {
  const url = optional(env, "LOGIN_JWKS_URL");
  const secret = optional(env, "LOGIN_SECRET");
  if ((url === undefined) === (secret === undefined)) throw new Misconfigured("set either LOGIN_JWKS_URL or LOGIN_SECRET");
  if (secret === undefined) {
    // Kept from request to request: it holds the keys, and asks for them again when it meets a new one.
    if (keySet?.url !== url) keySet = { url, key: createRemoteJWKSet(new URL(url)) };
    return { key: keySet.key, algorithms: PUBLIC_KEY_ALGORITHMS };
  }
  const key = new TextEncoder().encode(secret);
  if (key.length < SECRET_BYTES) throw new Misconfigured(`LOGIN_SECRET is shorter than ${SECRET_BYTES} bytes`);
  return { key, algorithms: ["HS256"] };
}

const isText = (value) => typeof value === "string" && value !== "";

/** What a grant may say beside who it is for. A word that is mistyped must not leave its limit out. */
const LIMITS = {
  serviceId: isText,
  parentFolderIds: (value) => Array.isArray(value) && value.every(isText),
  driveId: isText,
  maxFileSize: (value) => Number.isSafeInteger(value) && value >= 0,
};

/** Turns claims into a grant: `sub` is the consumer, and the claim `upload`, where there is one, limits what it may do. */
function grantOf({ sub, upload = {} }) {
  if (!isText(sub)) return null;
  const isFine = ([name, value]) => Object.hasOwn(LIMITS, name) && LIMITS[name](value);
  if (Object.prototype.toString.call(upload) !== "[object Object]" || !Object.entries(upload).every(isFine)) {
    throw new TypeError("the claim `upload` is no grant");
  }
  return { ...upload, consumerId: sub };
}
