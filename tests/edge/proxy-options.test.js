// What a proxy is made with: secrets, the environment, the path it stands under, grants.

import assert from "node:assert/strict";
import { test } from "node:test";

import { THREW } from "./app.js";
import { create, read, readError, upload } from "./client.js";
import { onEveryRuntime, SESSIONS, SETTINGS, until } from "./stage.js";

const OLD = "an old secret of the tests, 32 bytes or more";
const NEW = "a new secret of the tests, 32 bytes or more";
const SHORT = "0123456789abcdef0123456789abcde";

/** Options that createUploadProxy refuses, with what its error must say. */
const REFUSED = {
  "a secret of 31 bytes": [{ sessionSecret: SHORT }, /sessionSecret.*32 bytes/],
  "an empty secret": [{ sessionSecret: "" }, /sessionSecret.*32 bytes/],
  "no secret": [{ sessionSecret: undefined }, /sessionSecret/],
  "no secret in a list": [{ sessionSecret: [] }, /sessionSecret/],
  "a retired secret of 31 bytes": [{ sessionSecret: [NEW, SHORT] }, /sessionSecret.*32 bytes/],
  "a secret that is no text": [{ sessionSecret: 12345678901234567890123456789012 }, /sessionSecret/],
  "an empty key": [{ apiKey: "" }, /apiKey/],
  "a key with a line end": [{ apiKey: "key\r\nX-Evil: 1" }, /apiKey/],
  "no key": [{ apiKey: undefined }, /apiKey/],
  "an empty app": [{ appId: "" }, /appId/],
  "an upstream that is no URL": [{ upstream: "nowhere" }, /upstream/],
  "an upstream of another scheme": [{ upstream: "ftp://127.0.0.1" }, /upstream/],
  "an upstream with credentials": [{ upstream: "https://user:pass@127.0.0.1" }, /upstream/],
  "an upstream with a query": [{ upstream: "https://127.0.0.1/?a" }, /upstream/],
  "every origin": [{ allowedOrigins: ["*"] }, /allowedOrigins/],
  "the origin null": [{ allowedOrigins: ["null"] }, /allowedOrigins/],
  "an origin with a path": [{ allowedOrigins: ["https://app.example/"] }, /allowedOrigins/],
  "an origin in another case": [{ allowedOrigins: ["https://App.example"] }, /allowedOrigins/],
  "an origin with its default port": [{ allowedOrigins: ["https://app.example:443"] }, /allowedOrigins/],
  "a base path without a slash": [{ basePath: "api" }, /basePath/],
  "parts of no bytes": [{ maxPartSize: 0 }, /maxPartSize/],
  "parts above the API's limit": [{ maxPartSize: 104_857_601 }, /maxPartSize/],
  "parts of half a byte": [{ maxPartSize: 1.5 }, /maxPartSize/],
  "no time": [{ timeout: 0 }, /timeout/],
  "time that is a text": [{ timeout: "1000" }, /timeout/],
  "an option that there is not": [{ apikey: "a" }, /apikey/],
};

const BAD_GRANTS = {
  empty: {},
  text: "alice",
  list: [],
  yes: true,
  consumer: { consumerId: "" },
  number: { consumerId: 1 },
  injection: { consumerId: "a\r\nX-Evil: 1" },
  service: { consumerId: "a", serviceId: "Not A Service" },
  folder: { consumerId: "a", parentFolderIds: "root" },
  folders: { consumerId: "a", parentFolderIds: [1] },
  drive: { consumerId: "a", driveId: 1 },
  size: { consumerId: "a", maxFileSize: -1 },
  fraction: { consumerId: "a", maxFileSize: 1.5 },
  texts: { consumerId: "a", maxFileSize: "1000" },
  misspelled: { consumerId: "a", maxfilesize: 1000 },
};

const bindings = { API_KEY: "env-key", APP_ID: "env-app", SESSION_SECRET: SETTINGS.sessionSecret };
const proxies = {
  ours: { grants: { ...SETTINGS.grants, ...BAD_GRANTS, nobody: null, broken: "throws", body: "body" } },
  old: { sessionSecret: OLD },
  rotating: { sessionSecret: [NEW, OLD] },
  rotated: { sessionSecret: NEW },
  umlauts: { sessionSecret: "ü".repeat(16) },
  mounted: { basePath: "/api/upload" },
  slashed: { basePath: "/api/" },
  environment: { fromEnv: true, bindings },
  shortEnvironment: { fromEnv: true, bindings: { ...bindings, SESSION_SECRET: SHORT } },
  emptyEnvironment: { fromEnv: true, bindings: { APP_ID: "env-app", SESSION_SECRET: SETTINGS.sessionSecret } },
  ...Object.fromEntries(
    Object.entries(REFUSED).map(([name, [options]]) => [name.replaceAll(" ", "-").replace("'", ""), options]),
  ),
};

onEveryRuntime("options", proxies, (stage) => {
  for (const [name, [options, message]] of Object.entries(REFUSED)) {
    test(`refused at start: ${name}`, async () => {
      const answer = await stage[name.replaceAll(" ", "-").replace("'", "")].fetch(SESSIONS);
      const text = await answer.text();
      assert.equal(answer.status, THREW, text);
      assert.match(text.split("\n")[0], message);
      // A secret that is wrong is a secret still.
      for (const secret of [options.sessionSecret, options.apiKey].flat().filter((value) => value))
        assert.ok(!text.includes(secret), text);
    });
  }

  test("a secret has 32 bytes, whatever its characters", async () => {
    await create(stage.umlauts);
  });

  test("options come from the environment", async () => {
    await create(stage.environment);
    const [{ headers }] = stage.environment.relay.requests;
    assert.equal(headers.authorization, "Bearer env-key");
    assert.equal(headers["x-apideck-app-id"], "env-app");
  });

  test("a short secret in the environment is a 500 that does not tell it", async () => {
    const answer = await stage.shortEnvironment.fetch(SESSIONS, { method: "POST", body: "{}" });
    assert.ok(!JSON.stringify(await readError(answer, 500)).includes(SHORT));
    await until(() => /sessionSecret.*32 bytes/.test(stage.log()));
    assert.ok(!stage.log().includes(SHORT));
    assert.deepEqual(stage.shortEnvironment.relay.requests, []);
  });

  test("an environment without a key is a 500", async () => {
    await readError(await stage.emptyEnvironment.fetch(SESSIONS, { method: "POST", body: "{}" }), 500);
    await until(() => /apiKey/.test(stage.log()));
  });

  test("a secret is rotated while sessions run", async () => {
    const status = async (proxy, id) => (await proxy.fetch(`${SESSIONS}/${id}`)).status;
    const { id: before } = await create(stage.old);
    const { id: meanwhile } = await create(stage.rotating);
    assert.equal(await status(stage.rotating, before), 200);
    assert.equal(await status(stage.rotating, meanwhile), 200);
    assert.equal(await status(stage.old, meanwhile), 404);
    assert.equal(await status(stage.rotated, meanwhile), 200);
    assert.equal(await status(stage.rotated, before), 404);
  });

  for (const [name, basePath] of [
    ["mounted", "/api/upload"],
    ["slashed", "/api"],
  ]) {
    test(`a proxy stands under its base path, and nowhere else: ${proxies[name].basePath}`, async () => {
      const bytes = Buffer.from("content");
      const { id } = await upload(stage[name], bytes, { basePath });
      assert.equal((await stage.emulator.info(id)).size, bytes.length);
      const mark = stage[name].relay.requests.length;
      for (const prefix of [
        "",
        "/",
        "/api/uploads",
        `${basePath}/`,
        `${basePath}${basePath}`,
        basePath.toUpperCase(),
        "/x/..",
      ]) {
        await readError(
          await stage[name].fetch(prefix + SESSIONS, {
            method: "POST",
            body: '{"name":"a","parent_folder_id":"b","size":1}',
          }),
          404,
        );
      }
      assert.deepEqual(stage[name].relay.since(mark), []);
    });
  }

  for (const [login, grant] of Object.entries(BAD_GRANTS)) {
    test(`a grant that is none is a 500, and grants nothing: ${JSON.stringify(grant)}`, async () => {
      const mark = stage.ours.relay.requests.length;
      await readError(
        await stage.ours.fetch(SESSIONS, {
          login,
          method: "POST",
          body: '{"name":"a","parent_folder_id":"b","size":1}',
        }),
        500,
      );
      assert.deepEqual(stage.ours.relay.since(mark), []);
      await until(() => stage.log().includes("upload-session/edge: The grant that authorize gave does not fit"));
    });
  }

  test("no grant is a 401 in the API's envelope", async () => {
    for (const login of ["nobody", "unknown", null]) {
      const error = await readError(await stage.ours.fetch(SESSIONS, { login, method: "POST", body: "{}" }), 401);
      assert.equal(error.type_name, "UnauthorizedError");
    }
  });

  test("authorize that throws is a 500 that does not tell why", async () => {
    const answer = await stage.ours.fetch(SESSIONS, { login: "broken", method: "POST", body: "{}" });
    assert.ok(!JSON.stringify(await readError(answer, 500)).includes("hunter2"));
    await until(() => /authorize failed with Error\n\s+at /.test(stage.log()));
    assert.ok(!stage.log().includes("hunter2"));
  });

  test("authorize is given the request without its body", async () => {
    const mark = stage.ours.relay.requests.length;
    await read(
      await stage.ours.fetch(SESSIONS, {
        login: "body",
        method: "POST",
        body: '{"name":"a","parent_folder_id":"b","size":1}',
      }),
      201,
    );
    assert.equal(stage.ours.relay.since(mark)[0].headers["x-apideck-consumer-id"], "no-body");
  });
});
