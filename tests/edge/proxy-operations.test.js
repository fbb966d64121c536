// The six operations through the proxy, as an honest client does them.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import { create, digest, read, upload } from "./client.js";
import { request } from "./raw.js";
import { FILES, onEveryRuntime, SESSIONS, SETTINGS } from "./stage.js";

const PROFILES = ["box", "google-drive", "onedrive", "sharepoint", "dropbox"];
/** Parts, and an odd rest; Box takes no smaller sessions than 20,000,000 bytes. */
const FILE = randomBytes(20_000_003);

const proxies = {
  ours: {
    grants: {
      ...SETTINGS.grants,
      dropper: { consumerId: "dropper", serviceId: "dropbox" },
      driver: { consumerId: "driver", driveId: "mine" },
    },
  },
};

onEveryRuntime("operations", proxies, (stage) => {
  const sha1 = async (id) => (await stage.emulator.info(id)).sha1;
  const hex = (bytes) => createHash("sha1").update(bytes).digest("hex");

  for (const service of PROFILES) {
    test(`a file goes through part by part, byte for byte: ${service}`, async () => {
      const mark = stage.ours.relay.requests.length;
      const file = await upload(stage.ours, FILE, { service });
      assert.equal(file.name, "Größe 💾.bin");
      assert.equal(await sha1(file.id), hex(FILE));
      const requests = stage.ours.relay.since(mark);
      for (const { headers } of requests) {
        assert.equal(headers.authorization, `Bearer ${SETTINGS.apiKey}`);
        assert.equal(headers["x-apideck-app-id"], SETTINGS.appId);
        assert.equal(headers["x-apideck-consumer-id"], "alice");
        assert.equal(headers["x-apideck-service-id"], service);
      }
      const parts = requests.filter(({ method }) => method === "PUT");
      assert.equal(
        parts.reduce((sum, { headers }) => sum + Number(headers["content-length"]), 0),
        FILE.length,
      );
      assert.deepEqual(
        parts.map(({ headers }) => headers["transfer-encoding"]),
        parts.map(() => undefined),
      );
      assert.equal(
        parts.every(
          ({ headers }) => headers.digest.startsWith("sha=") && headers["content-type"] === "application/octet-stream",
        ),
        true,
      );
      assert.equal(requests.at(-1).headers.digest, digest(FILE));
    });
  }

  for (const service of PROFILES) {
    test(`a small file goes through in one request: ${service}`, async () => {
      const body = randomBytes(123_457);
      const metadata = '{"name":"Gr\\u00f6\\u00dfe.bin","parent_folder_id":"root"}';
      const headers = { "x-apideck-metadata": metadata, "x-apideck-service-id": service, "content-type": "image/png" };
      const mark = stage.ours.relay.requests.length;
      const answer = await stage.ours.fetch(FILES, { method: "POST", headers, body });
      const { data } = await read(answer, 201);
      assert.equal(await sha1(data.id), hex(body));
      assert.equal((await stage.emulator.info(data.id)).name, "Größe.bin");
      const [upstream] = stage.ours.relay.since(mark);
      assert.equal(upstream.headers["content-length"], "123457");
      assert.equal(upstream.headers["content-type"], "image/png");
      assert.equal(upstream.chunked, false);
    });
  }

  test("an empty part and an empty file go through", async () => {
    const headers = { "x-apideck-metadata": '{"name":"empty","parent_folder_id":"root"}' };
    const { data } = await read(await stage.ours.fetch(FILES, { method: "POST", headers, body: "" }), 201);
    assert.equal(await sha1(data.id), hex(""));
    assert.equal(await sha1((await upload(stage.ours, Buffer.alloc(0))).id), hex(""));
  });

  test("a session of unknown size takes parts", async () => {
    const { id } = await create(stage.ours, {}, { size: null });
    const session = `${SESSIONS}/${id}`;
    await read(await stage.ours.fetch(`${session}?part_number=0`, { method: "PUT", body: "content" }), 200);
    const { data } = await read(await stage.ours.fetch(`${session}/finish`, { method: "POST" }), 201);
    assert.equal(await sha1(data.id), hex("content"));
  });

  test("a session is deleted", async () => {
    const { id } = await create(stage.ours);
    assert.equal((await read(await stage.ours.fetch(`${SESSIONS}/${id}`, { method: "DELETE" }), 200)).data.id, id);
    assert.equal((await stage.ours.fetch(`${SESSIONS}/${id}`)).status, 404);
  });

  test("get answers the fields that were asked for", async () => {
    const { id } = await create(stage.ours);
    const { data } = await read(await stage.ours.fetch(`${SESSIONS}/${id}?fields=id,part_size`), 200);
    assert.deepEqual(Object.keys(data).sort(), ["id", "part_size"]);
    assert.equal(data.id, id);
  });

  test("the API's own session id stays behind the proxy's", async () => {
    const { id } = await create(stage.ours);
    const [own, expiry, size, mac] = id.split(".");
    assert.equal(size, "1000");
    assert.ok(Number(expiry) > Date.now() / 1000 + 6 * 86_400);
    assert.equal(mac.length, 43);
    const [{ id: upstream }] = (
      await (await fetch(`${stage.emulator.url}/_emulator/sessions?consumer_id=alice`)).json()
    ).filter((session) => session.id === own);
    assert.equal(upstream, own);
  });

  test("the grant's service and drive are used where the caller names none", async () => {
    const mark = stage.ours.relay.requests.length;
    await create(stage.ours, { login: "dropper" });
    await create(stage.ours, { login: "driver" });
    const [dropped, driven] = stage.ours.relay.since(mark);
    assert.equal(dropped.headers["x-apideck-service-id"], "dropbox");
    assert.equal(JSON.parse(driven.body).drive_id, "mine");
    assert.equal(driven.headers["x-apideck-service-id"], undefined);
  });

  test("create is told every field that there is", async () => {
    const mark = stage.ours.relay.requests.length;
    const fields = {
      name: "a.bin",
      parent_folder_id: "root",
      size: 5,
      drive_id: "1",
      pass_through: [{ service_id: "dropbox", extend_object: { a: [1.5, null, "ü"] } }],
    };
    await create(stage.ours, {}, fields);
    assert.deepEqual(JSON.parse(Buffer.from(stage.ours.relay.since(mark)[0].body, "latin1").toString()), fields);
  });

  test("users stay apart: each has files of its own consumer", async () => {
    const body = randomBytes(1000);
    for (const login of ["alice", "bob"]) {
      const { id } = await upload(stage.ours, body, { login });
      assert.equal((await stage.emulator.info(id)).consumer_id, login);
    }
  });

  test("requests of different users at the same time stay apart", async () => {
    const mark = stage.ours.relay.requests.length;
    const logins = Array.from({ length: 60 }, (_, index) => ["alice", "bob", "dropper"][index % 3]);
    const created = await Promise.all(logins.map((login) => create(stage.ours, { login }, { name: login })));
    const answers = await Promise.all(
      created.map(({ id }, index) => stage.ours.fetch(`${SESSIONS}/${id}`, { login: logins[index] })),
    );
    for (const [index, answer] of answers.entries()) assert.equal((await read(answer, 200)).data.id, created[index].id);
    const named = stage.ours.relay.since(mark).filter(({ method }) => method === "POST");
    assert.equal(named.length, logins.length);
    for (const { headers, body } of named) assert.equal(headers["x-apideck-consumer-id"], JSON.parse(body).name);
  });

  test("a client that asks before it sends a part may send it", async () => {
    const { token } = await stage.ours.session({ size: 7 });
    const headers = { Authorization: "Bearer alice", Expect: "100-continue" };
    const [answer] = await stage.ours.raw(request("PUT", `${SESSIONS}/${token}?part_number=0`, headers, "content"));
    assert.equal(answer.status, 200);
  });

  test("a cookie is a login as well", async () => {
    const { id } = await create(stage.ours);
    await read(await stage.ours.fetch(`${SESSIONS}/${id}`, { login: null, headers: { cookie: "login=alice" } }), 200);
  });
});
