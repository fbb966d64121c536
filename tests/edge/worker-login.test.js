// Who the example worker takes for signed in. Each token is tried on the proxy and on the worker's own routes.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign as signWith } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { API_KEY, bearer, claims, hmac, jwt, LOGIN_SECRET, startExample } from "./example.js";

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEY_SET = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256", use: "sig" }] };
const SHORT = "0123456789abcdef".repeat(2).slice(1);

let example;

before(async () => {
  const environments = {
    secret: {},
    keySet: { LOGIN_SECRET: null, LOGIN_JWKS_URL: "https://login.example/keys" },
    noKeySet: { LOGIN_SECRET: null, LOGIN_JWKS_URL: "https://login.example/gone" },
    both: { LOGIN_JWKS_URL: "https://login.example/keys" },
    none: { LOGIN_SECRET: null },
    short: { LOGIN_SECRET: SHORT },
    shortSession: { SESSION_SECRET: SHORT },
    noKey: { APIDECK_API_KEY: null },
    noAudience: { LOGIN_AUDIENCE: null },
  };
  example = await startExample(environments, (request, response) => {
    if (request.url === "/keys") response.setHeader("content-type", "application/json").end(JSON.stringify(KEY_SET));
    else response.writeHead(404).end();
  });
});

after(() => example?.stop());

/** Asks the proxy, and ingest; both have to agree on who is signed in. */
async function status(url, headers) {
  const create = { method: "POST", headers, body: JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 3 }) };
  const answers = await Promise.all([
    fetch(`${url}/file-storage/upload-sessions`, create),
    fetch(`${url}/ingest?name=a.bin`, { method: "PUT", headers, body: "abc" }),
  ]);
  const [proxied, ingested] = answers.map((answer) => answer.status);
  assert.equal(proxied, ingested, "the proxy and ingest do not agree");
  for (const answer of answers) {
    const text = await answer.text();
    for (const secret of [API_KEY, LOGIN_SECRET]) assert.ok(!text.includes(secret));
    if (!answer.ok) assert.deepEqual(Object.keys(JSON.parse(text)).sort(), ["detail", "error", "message", "ref", "status_code", "type_name"]);
  }
  return proxied;
}

const es256 = ({ privateKey }) => (text) => signWith("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
const fromSet = (payload, key = pair) => jwt(payload, { header: { alg: "ES256", kid: "one" }, sign: es256(key) });
const past = Math.floor(Date.now() / 1000) - 1;

describe("a login", () => {
  test("is taken as a bearer token", async () => {
    assert.equal(await status(example.secret, bearer()), 201);
  });

  test("is taken as a cookie, among others", async () => {
    assert.equal(await status(example.secret, { cookie: `theme=dark; session=${jwt(claims())}; other=1` }), 201);
  });

  test("is over https taken from the cookie alone that no other host can have set", async () => {
    const ask = async (name) => {
      const init = { method: "PUT", body: "abc", headers: { cookie: `${name}=${jwt(claims())}` } };
      return (await example.ask("https://edge.example/ingest?name=a.bin", init)).status;
    };
    assert.equal(await ask("__Host-session"), 201);
    assert.equal(await ask("session"), 401);
  });

  test("is taken where a public key of the key set verifies it", async () => {
    assert.equal(await status(example.keySet, bearer(fromSet(claims()))), 201);
  });

  test("acts for the one whom it names", async () => {
    const sub = "the-one-who-is-named";
    assert.equal(await status(example.secret, bearer(jwt(claims({ sub })))), 201);
    assert.equal((await example.emulator.stats(sub)).requests.create, 1);
  });

  const refused = {
    "that is absent": {},
    "that is empty": { authorization: "Bearer " },
    "of another scheme": { authorization: "Basic YWxpY2U6cGFzc3dvcmQ=" },
    "that is no token": bearer("nonsense"),
    "that has expired": bearer(jwt(claims({ exp: past }))),
    "that never expires": bearer(jwt(claims({ exp: undefined }))),
    "that is not valid yet": bearer(jwt(claims({ nbf: past + 600 }))),
    "that names nobody": bearer(jwt(claims({ sub: undefined }))),
    "that names an empty consumer": bearer(jwt(claims({ sub: "" }))),
    "for another audience": bearer(jwt(claims({ aud: "another" }))),
    "without an audience": bearer(jwt(claims({ aud: undefined }))),
    "by another issuer": bearer(jwt(claims({ iss: "https://evil.example" }))),
    "signed with another key": bearer(jwt(claims(), { sign: hmac("another secret that has 32 bytes or more") })),
    "that is not signed (alg none)": bearer(jwt(claims(), { header: { alg: "none" }, sign: () => "" })),
    "that says alg none but is signed": bearer(jwt(claims(), { header: { alg: "none" } })),
    "signed with another algorithm": bearer(jwt(claims(), { header: { alg: "HS512" }, sign: hmac(LOGIN_SECRET, "sha512") })),
    "whose claims were changed after it was signed": bearer(jwt(claims()).replace(/\.[^.]+\./, `.${jwt(claims({ sub: "bob" })).split(".")[1]}.`)),
    "of a cookie with a bad bearer token beside it": { ...bearer("nonsense"), cookie: `session=${jwt(claims())}` },
    "of a cookie by another name": { cookie: `Xsession=${jwt(claims())}` },
    "of a cookie that only https may set": { cookie: `__Host-session=${jwt(claims())}` },
  };
  for (const [what, headers] of Object.entries(refused)) {
    test(`${what} is none`, async () => {
      assert.equal(await status(example.secret, headers), 401);
    });
  }

  test("signed by a stranger's key is none, whatever key it names", async () => {
    assert.equal(await status(example.keySet, bearer(fromSet(claims(), stranger))), 401);
  });

  test("signed with a public key as if that were a secret is none", async () => {
    const secret = pair.publicKey.export({ format: "pem", type: "spki" });
    const token = jwt(claims(), { header: { alg: "HS256", kid: "one" }, sign: hmac(secret) });
    assert.equal(await status(example.keySet, bearer(token)), 401);
  });

  test("that grants nonsense is an error, and no grant", async () => {
    for (const upload of ["everything", "", 5, true, null, [], ["root"], { maxFileSize: "5" }, { maxfilesize: 5 }, { parentFolderIds: "root" }, { serviceId: "" }]) {
      assert.equal(await status(example.secret, bearer(jwt(claims({ upload })))), 500, JSON.stringify(upload));
    }
  });
});

describe("an environment", () => {
  const wrong = {
    noKeySet: "whose key set cannot be had",
    both: "with two ways to verify logins",
    none: "with no way to verify logins",
    short: "whose login secret is shorter than 32 bytes",
    noAudience: "without an audience",
    noKey: "without an API key",
  };
  for (const [name, what] of Object.entries(wrong)) {
    test(`${what} is answered with 500, and nothing goes upstream`, async () => {
      const before = (await example.emulator.stats()).requests;
      const token = name === "noKeySet" ? fromSet(claims()) : jwt(claims());
      assert.equal(await status(example[name], bearer(token)), 500);
      assert.deepEqual((await example.emulator.stats()).requests, before);
    });
  }

  test("whose session secret is shorter than 32 bytes is answered with 500", async () => {
    const answer = await fetch(`${example.shortSession}/file-storage/upload-sessions`, { method: "POST", headers: bearer() });
    assert.equal(answer.status, 500);
  });

  test("that is wrong is named in the log, without a secret, on the proxy's routes too", async () => {
    const mark = example.logs.length;
    for (const name of Object.keys(wrong)) {
      await fetch(`${example[name]}/file-storage/upload-sessions/a`, { headers: bearer() });
    }
    const log = example.logs.slice(mark).join("");
    for (const words of ["LOGIN_SECRET is shorter than 32 bytes", "set either LOGIN_JWKS_URL or LOGIN_SECRET", "APIDECK_API_KEY is not set"]) {
      assert.ok(log.includes(words), `${words}: not in ${log}`);
    }
    for (const secret of [API_KEY, LOGIN_SECRET, SHORT]) assert.ok(!log.includes(secret), "a secret is in the log");
  });
});
