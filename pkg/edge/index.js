// The edge half of upload-session: carries out what the policy in the WebAssembly module decides.

import load, { Policy, ingest as ingestStream } from "../dist/edge/upload_session_edge.js";
import { carryOut, respond } from "./exchange.js";

export { UploadError } from "../dist/edge/upload_session_edge.js";

// What may come from the environment; the value passes every check, and stands in until there is an environment.
const STAND_INS = { upstream: "https://edge.example", apiKey: "key", appId: "app", sessionSecret: "-".repeat(32) };
const FIXED = ["allowedOrigins", "basePath", "maxPartSize", "timeout"];
const FIELDS = [...Object.keys(STAND_INS), "authorize", ...FIXED];
const TIMEOUT = 50_000;
const MAX_TIMEOUT = 2 ** 31 - 1;

let loading;
let isReady = false;

export function init(module) {
  loading ??= load({ module_or_path: module }).then(
    () => {
      isReady = true;
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

export function createUploadProxy(options) {
  const settings = checked(options);
  const atOnce = ([name, standIn]) => [name, typeof settings[name] === "function" ? standIn : settings[name]];
  // Whatever is wrong without the environment's word is refused at start.
  new Policy(configuration(settings, Object.entries(STAND_INS).map(atOnce))).free();
  let latest;

  async function policyFor(env) {
    const names = Object.keys(STAND_INS);
    const json = configuration(settings, await Promise.all(names.map(async (name) => [name, await fromEnv(settings[name], name, env)])));
    if (latest?.json !== json) latest = { json, policy: new Policy(json) };
    return latest.policy;
  }

  return async function fetch(request, env) {
    let policy;
    try {
      policy = await policyFor(env);
    } catch (error) {
      console.error(`upload-session/edge: ${error.message}`);
      return respond(JSON.parse(Policy.misconfigured()));
    }
    const exchange = policy.receive(request.method, request.url, [...request.headers].flat());
    try {
      return await carryOut(exchange, request, env, settings);
    } finally {
      exchange.free();
    }
  };
}

export async function ingest(source, options) {
  requireInit("ingest");
  return ingestStream(source, options);
}

function requireInit(name) {
  if (!isReady) throw new Error(`init(module) must resolve before ${name} is called`);
}

function checked(options) {
  requireInit("createUploadProxy");
  if (typeof options !== "object" || options === null) throw new TypeError("createUploadProxy takes an object");
  const unknown = Object.keys(options).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new TypeError(`${unknown}: there is no such option; there are ${FIELDS.join(", ")}`);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = { timeout: TIMEOUT, ...Object.fromEntries(given) };
  if (typeof settings.authorize !== "function") throw new TypeError("authorize: takes a function");
  const computed = FIXED.find((name) => typeof settings[name] === "function");
  if (computed !== undefined) throw new TypeError(`${computed}: takes no function`);
  if (typeof settings.timeout !== "number" || !(settings.timeout > 0 && settings.timeout <= MAX_TIMEOUT)) {
    throw new TypeError(`timeout: takes milliseconds, more than 0, ${MAX_TIMEOUT} at most`);
  }
  return settings;
}

/** Returns the policy's configuration as JSON, in which what is left out has its default. */
function configuration({ allowedOrigins, basePath, maxPartSize }, values) {
  const { sessionSecret, ...others } = Object.fromEntries(values);
  return JSON.stringify({ ...others, sessionSecret: [sessionSecret].flat(), allowedOrigins, basePath, maxPartSize });
}

async function fromEnv(value, name, env) {
  if (typeof value !== "function") return value;
  try {
    return await value(env);
  } catch {
    // Nobody knows what its error tells.
    throw new Error(`${name}: its function failed`);
  }
}
