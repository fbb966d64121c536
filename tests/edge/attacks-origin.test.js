// Pages of other origins, which a browser lends its user's cookies (Fetch Standard, CORS protocol).

import assert from "node:assert/strict";
import { test } from "node:test";

import { attacks } from "./attacks.js";
import { request } from "./raw.js";
import { SESSIONS } from "./stage.js";

const ALLOWED = "https://app.example";
const settings = { allowedOrigins: [ALLOWED, "https://other.example:8443"] };
const COOKIE = { Cookie: "theme=dark; login=alice" };
// A type that needs no preflight.
const BODY = JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 1000 });
const PREFLIGHT = {
  "Access-Control-Request-Method": "PUT",
  "Access-Control-Request-Headers": "authorization,content-type,digest",
};

/** Creates a session with the user's cookie; returns what reached upstream, and whether the page may read the answer. */
const create = (headers) => async (proxy) => {
  let answers;
  const all = { "Content-Type": "text/plain", ...COOKIE, ...headers };
  const requests = await proxy.reached(
    async () => (answers = await proxy.raw(request("POST", SESSIONS, all, BODY), ["POST"])),
  );
  return [...requests.map(({ method, target }) => `${method} ${target}`), ...permissions(answers[0])];
};

/** Asks whether a page may; returns what it was allowed. */
const ask = (headers) => async (proxy) => {
  const target = `${SESSIONS}/any.0.-.any?part_number=0`;
  const [answer] = await proxy.raw(request("OPTIONS", target, { ...PREFLIGHT, ...headers }), ["OPTIONS"]);
  return permissions(answer);
};

function permissions({ headers }) {
  return Object.entries(headers)
    .filter(([name]) => name.startsWith("access-control-"))
    .map(([name, value]) => `${name}: ${value}`);
}

attacks("origins", settings, (attack, stage) => {
  const honest = { honest: create({ Origin: ALLOWED }) };
  for (const [name, origin] of [
    ["a foreign origin with credentials", "https://evil.example"],
    ["Origin: null", "null"],
    ["an origin that begins like an allowed one", `${ALLOWED}.evil.example`],
    ["an origin that ends like an allowed one", "https://evil-app.example"],
    ["an origin below an allowed one", "https://evil.app.example"],
    ["an allowed origin without its encryption", "http://app.example"],
    ["an allowed origin with another port", `${ALLOWED}:8443`],
    ["an allowed origin without its port", "https://other.example"],
    ["an allowed origin with its default port", `${ALLOWED}:443`],
    ["an allowed origin in another case", "https://APP.example"],
    ["an allowed origin with a path", `${ALLOWED}/`],
    ["an allowed origin with credentials", "https://user@app.example"],
    ["two origins", `${ALLOWED}, https://evil.example`],
    ["two origins, a blank between", `${ALLOWED} https://evil.example`],
    ["two Origin headers", `${ALLOWED}\r\nOrigin: https://evil.example`],
    ["every origin", "*"],
    ["the proxy's own origin with encryption", "https://proxy.test"],
  ]) {
    attack(`${name}: create`, create({ Origin: origin }), honest);
    attack(`${name}: preflight`, ask({ Origin: origin }), { honest: ask({ Origin: ALLOWED }) });
  }
  // A request that a browser sends without Origin, as it does for images and navigations.
  for (const site of ["cross-site", "same-site"]) {
    attack(`no origin, but ${site}`, create({ "Sec-Fetch-Site": site }), {
      honest: create({ "Sec-Fetch-Site": "same-origin" }),
    });
  }

  test("a page of the proxy's own origin may do everything, and needs no permission", async () => {
    const origins = [
      { Origin: "http://proxy.test" },
      { Origin: "https://proxy.test", "Sec-Fetch-Site": "same-origin" },
      {},
    ];
    for (const headers of origins) assert.deepEqual(await create(headers)(stage.ours), [`POST ${SESSIONS}`]);
  });

  test("a page of an allowed origin may read the answer, and a cache must know of it", async () => {
    const [answer] = await stage.ours.raw(request("POST", SESSIONS, { ...COOKIE, Origin: ALLOWED }, BODY), ["POST"]);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers["access-control-allow-origin"], ALLOWED);
    assert.equal(answer.headers["access-control-allow-credentials"], "true");
    assert.match(answer.headers["access-control-expose-headers"], /request-id/);
    assert.match(answer.headers["access-control-expose-headers"], /retry-after/);
    assert.match(answer.headers.vary, /origin/i);
  });

  test("a page of an allowed origin may read errors too, those without login among them", async () => {
    for (const [headers, body, status] of [
      [COOKIE, "{", 400],
      [{}, BODY, 401],
    ]) {
      const [answer] = await stage.ours.raw(request("POST", SESSIONS, { ...headers, Origin: ALLOWED }, body), ["POST"]);
      assert.equal(answer.status, status);
      assert.equal(answer.headers["access-control-allow-origin"], ALLOWED);
    }
  });

  test("a preflight of an allowed origin is granted, for a day, without a login and without upstream", async () => {
    for (const [target, method] of [
      [SESSIONS, "POST"],
      [`${SESSIONS}/a`, "DELETE"],
      [`${SESSIONS}/a/finish`, "POST"],
      ["/file-storage/files", "POST"],
    ]) {
      const headers = { Origin: ALLOWED, ...PREFLIGHT, "Access-Control-Request-Method": method };
      let answers;
      const requests = await stage.ours.reached(
        async () => (answers = await stage.ours.raw(request("OPTIONS", target, headers), ["OPTIONS"])),
      );
      assert.deepEqual(requests, []);
      const [answer] = answers;
      assert.equal(answer.status, 204);
      assert.equal(answer.headers["access-control-allow-origin"], ALLOWED);
      assert.equal(answer.headers["access-control-allow-credentials"], "true");
      assert.equal(answer.headers["access-control-max-age"], "86400");
      assert.match(answer.headers["access-control-allow-methods"], new RegExp(`\\b${method}\\b`));
      const allowed = answer.headers["access-control-allow-headers"].toLowerCase().split(/, */);
      for (const name of ["content-type", "digest", "authorization", "x-apideck-service-id", "x-apideck-metadata"])
        assert.ok(allowed.includes(name), name);
      assert.match(answer.headers.vary, /origin/i);
    }
  });
});
