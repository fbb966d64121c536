// Secrets of the proxy, in whatever it answers or writes.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { attacks } from "./attacks.js";
import { FILES, SESSIONS, SETTINGS } from "./stage.js";

// A key that is spelled in more than one way in JSON.
const settings = {
  apiKey: 'sk/live "edge" 0123456789',
  allowedOrigins: ["https://app.example"],
  grants: { ...SETTINGS.grants, broken: "throws" },
};
const { apiKey } = settings;
const { sessionSecret } = SETTINGS;
const NEW = { method: "POST", body: JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 1000 }) };

/** What of a secret is in an answer, its head included; JSON is read as a client reads it. */
async function leaked(answer, secrets) {
  const text = await answer.text();
  let read = text;
  try {
    read += strings(JSON.parse(text)).join("\n");
  } catch {
    // No JSON: there is the text.
  }
  const all = [...answer.headers].flat().join("\n") + read;
  return secrets.filter((secret) => all.includes(secret));
}

function strings(value) {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.entries(value).flat().flatMap(strings) : [];
}

const escaped = (text) => text.replace(/./g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

attacks("secrets", settings, (attack, stage) => {
  const error = (message) => ({
    status_code: 400,
    error: "Bad Request",
    type_name: "RequestValidationError",
    message,
    detail: { [message]: [message] },
    ref: "",
  });
  const echo =
    (operation, fault, secrets = [apiKey]) =>
    async (proxy) => {
      const { token } = await proxy.session();
      await proxy.emulator.fault(operation, { kind: "status", ...fault });
      const answer =
        operation === "create" ? await proxy.fetch(SESSIONS, NEW) : await proxy.fetch(`${SESSIONS}/${token}`);
      return leaked(answer, secrets);
    };
  attack(
    "an upstream that echoes the key in an error",
    echo("create", { status: 400, body: error(`Bearer ${apiKey}`) }),
  );
  attack(
    "an upstream that echoes the key in another spelling",
    echo("create", { status: 400, body: `{"status_code":400,"message":"${escaped(apiKey)}"}` }),
  );
  attack(
    "an upstream that echoes the key in an error that is no JSON",
    echo("create", { status: 401, body: `bad key: ${apiKey}` }),
  );
  attack(
    "an upstream that echoes the key in an error that is HTML",
    echo("get", { status: 503, body: `<html>${apiKey}</html>` }),
  );
  attack(
    "an upstream that echoes the key in data",
    echo("get", { status: 200, body: { status_code: 200, data: { id: "a", key: apiKey } } }),
  );
  attack(
    "an upstream that echoes the key in the name of a field",
    echo("get", { status: 200, body: { status_code: 200, data: { id: "a" }, [apiKey]: 1 } }),
  );
  attack(
    "an upstream that echoes the key in a session id",
    echo("create", { status: 201, body: { status_code: 201, data: { id: apiKey } } }),
  );
  attack(
    "an upstream that echoes the key in a raw answer",
    echo("get", { status: 200, body: { status_code: 200, data: { id: "a" }, _raw: { key: apiKey } } }),
  );
  attack(
    "an upstream that echoes the key in a request-id",
    echo("get", { status: 200, headers: { "request-id": apiKey }, body: { status_code: 200, data: { id: "a" } } }),
  );
  attack(
    "an upstream that echoes the key in a retry-after",
    echo("get", { status: 503, headers: { "retry-after": apiKey } }),
  );
  attack(
    "an upstream that echoes the key in other headers",
    echo("get", { status: 400, headers: { "x-debug": apiKey, "set-cookie": `key=${apiKey}` } }),
  );
  attack(
    "an upstream that sends on",
    echo("get", { status: 302, headers: { location: `https://elsewhere.test/?key=${apiKey}` } }),
  );
  attack(
    "an upstream that knows the session secret",
    echo("get", { status: 400, body: error(sessionSecret) }, [sessionSecret]),
  );

  test("no answer of the proxy's own holds a secret", async () => {
    const { ours } = stage;
    const { token } = await ours.session();
    const answers = [
      await ours.fetch("/"),
      await ours.fetch(SESSIONS, { ...NEW, login: null }),
      await ours.fetch(SESSIONS, { ...NEW, login: "broken" }),
      await ours.fetch(SESSIONS, { ...NEW, body: "{" }),
      await ours.fetch(SESSIONS, NEW),
      await ours.fetch(`${SESSIONS}/${token}`),
      await ours.fetch(`${SESSIONS}/x${token}`),
      await ours.fetch(FILES, { method: "POST", body: "a" }),
      await ours.fetch(SESSIONS, { ...NEW, headers: { origin: "https://evil.example" } }),
      await ours.fetch(SESSIONS, {
        method: "OPTIONS",
        headers: { origin: "https://app.example", "access-control-request-method": "POST" },
      }),
    ];
    for (const answer of answers) assert.deepEqual(await leaked(answer, [apiKey, sessionSecret, "hunter2"]), []);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 401, 500, 400, 201, 200, 404, 400, 403, 204],
    );
  });

  // Last: by then everything has been written that will be.
  after(() => {
    const log = stage.log();
    for (const secret of [apiKey, sessionSecret, "hunter2"]) assert.ok(!log.includes(secret), log);
  });
});
