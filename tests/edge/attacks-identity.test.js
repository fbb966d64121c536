// Who is calling, and whose session it is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { attacks, reached } from "./attacks.js";
import { FILES, SESSIONS, SETTINGS } from "./stage.js";
import { now } from "./token.js";

const settings = {
  grants: {
    ...SETTINGS.grants,
    // The same consumer as alice, held to one connector.
    dropper: { consumerId: "alice", serviceId: "dropbox" },
  },
};

const NEW = { method: "POST", body: JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 1000 }) };
const DIRECT = {
  method: "POST",
  headers: { "x-apideck-metadata": JSON.stringify({ name: "a.bin", parent_folder_id: "root" }) },
  body: "content",
};
/** The four operations on a session. */
const OPERATIONS = {
  get: (token) => [`${SESSIONS}/${token}`, { method: "GET" }],
  upload: (token) => [`${SESSIONS}/${token}?part_number=0`, { method: "PUT", body: "content" }],
  finish: (token) => [`${SESSIONS}/${token}/finish`, { method: "POST", body: "{}" }],
  delete: (token) => [`${SESSIONS}/${token}`, { method: "DELETE" }],
};

attacks("identity", settings, (attack, stage) => {
  const uses = (login, path, init) => (proxy) => reached(proxy, () => proxy.fetch(path, { login, ...init }));

  for (const [what, path, init] of [
    ["create", SESSIONS, NEW],
    ["direct upload", FILES, DIRECT],
  ]) {
    attack(`no login: ${what}`, uses(null, path, init), { honest: uses("alice", path, init) });
    attack(`a login that nobody has: ${what}`, uses("mallory", path, init));
    attack(`a login that is a property of every object: ${what}`, uses("constructor", path, init));
  }

  for (const [operation, request] of Object.entries(OPERATIONS)) {
    const on = (login, change) => async (proxy) => {
      const { token } = await proxy.session(change);
      const [path, init] = request(token);
      return reached(proxy, () => proxy.fetch(path, { login, ...init }));
    };
    attack(`no login: ${operation}`, on(null), { honest: on("alice") });
    attack(`another user's session id: ${operation}`, on("bob"), { honest: on("alice") });
    attack(`another connector's session id of the same consumer: ${operation}`, on("dropper"), {
      honest: on("dropper", { service: "dropbox" }),
    });
    attack(`an expired session id: ${operation}`, on("alice", { expiry: now() - 1 }));
    attack(
      `a session id signed with another secret: ${operation}`,
      on("alice", { secret: "another secret, that has 32 bytes or more" }),
    );
  }

  const tampered = (change) => async (proxy) => {
    const { token, id } = await proxy.session();
    return reached(proxy, () => proxy.fetch(`${SESSIONS}/${change(token, id)}`));
  };
  const honest = tampered((token) => token);
  const piece = (index, change) => (token) =>
    token
      .split(".")
      .with(index, change(token.split(".")[index]))
      .join(".");
  const flip = (text) => text.slice(0, -2) + (text.at(-2) === "a" ? "b" : "a") + text.at(-1);
  for (const [name, change] of [
    ["a tampered session id: its id", piece(0, flip)],
    ["a tampered session id: its expiry", piece(1, (expiry) => Number(expiry) + 1_000_000)],
    ["a tampered session id: its expiry, spelled otherwise", piece(1, (expiry) => `0${expiry}`)],
    ["a tampered session id: its size", piece(2, () => "2000000000")],
    ["a tampered session id: no size", piece(2, () => "-")],
    ["a tampered session id: its signature", piece(3, flip)],
    // The last of 43 characters has two bits to spare.
    [
      "a tampered session id: its signature, spelled otherwise",
      piece(3, (mac) => mac.slice(0, -1) + String.fromCharCode(mac.charCodeAt(42) + 1)),
    ],
    ["a truncated session id: a character short", (token) => token.slice(0, -1)],
    ["a truncated session id: half a signature", (token) => token.slice(0, -22)],
    ["a truncated session id: an empty signature", piece(3, () => "")],
    ["a truncated session id: no signature", (token) => token.split(".").slice(0, 3).join(".")],
    ["a truncated session id: the API's own", (_, id) => id],
    ["an extended session id: a second signature", (token) => token + token.slice(token.lastIndexOf("."))],
    ["an extended session id: something in front", (token) => `x.${token}`],
  ]) {
    attack(name, tampered(change), { honest });
  }

  test("whatever is wrong with a session id, the answer is the same", async () => {
    const { token } = await stage.ours.session();
    const { token: bobs } = await stage.ours.session({ consumer: "bob" });
    const { token: expired } = await stage.ours.session({ expiry: now() - 1 });
    const { token: resigned } = await stage.ours.session({ secret: "x".repeat(40) });
    const answers = new Set();
    for (const wrong of [bobs, expired, resigned, token.slice(0, -1), piece(3, () => "")(token), "nonsense", "%ff"]) {
      const answer = await stage.ours.fetch(`${SESSIONS}/${wrong}`);
      answers.add(`${answer.status} ${await answer.text()}`);
    }
    assert.equal(answers.size, 1, [...answers].join("\n"));
    assert.match([...answers][0], /^404 /);
  });

  // What upstream is told is what counts here: the request itself is let through.
  const told = (header, mine) => (act) => async (proxy) => {
    const requests = await proxy.reached(act);
    return requests.map(({ headers }) => headers[header]).filter((value) => value !== mine(proxy));
  };
  const claims = {
    "x-apideck-consumer-id": ["bob", told("x-apideck-consumer-id", () => "alice")],
    "x-apideck-app-id": ["another-app", told("x-apideck-app-id", ({ settings }) => settings.appId)],
    "x-apideck-auth-type": ["JWT", told("x-apideck-auth-type", () => undefined)],
  };
  for (const [header, [value, evidence]] of Object.entries(claims)) {
    attack(
      `another ${header}: create`,
      evidence((proxy) => proxy.fetch(SESSIONS, { ...NEW, headers: { [header]: value } })),
    );
    attack(
      `another ${header}: get`,
      evidence(async (proxy) => {
        const { token } = await proxy.session();
        await proxy.fetch(`${SESSIONS}/${token}`, { headers: { [header]: value } });
      }),
    );
  }

  const service = (name) => ({ ...NEW, headers: { "x-apideck-service-id": name } });
  attack("another service than the grant's: create", uses("dropper", SESSIONS, service("box")), {
    honest: uses("dropper", SESSIONS, service("dropbox")),
  });
  attack(
    "another service than the grant's: direct upload",
    uses("dropper", FILES, {
      ...DIRECT,
      headers: { ...DIRECT.headers, "x-apideck-service-id": "box" },
    }),
  );
  attack("another service than the session's", async (proxy) => {
    const { token } = await proxy.session({ service: "dropbox" });
    return reached(proxy, () =>
      proxy.fetch(`${SESSIONS}/${token}`, { headers: { "x-apideck-service-id": "google-drive" } }),
    );
  });
  for (const name of ["../box", "BOX", "box, dropbox", "b\tox", "x".repeat(65)]) {
    attack(`a service that is none: ${JSON.stringify(name)}`, uses("alice", SESSIONS, service(name)));
  }
});
