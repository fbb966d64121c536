// The vendor's own SDK does all five operations against the emulator, and recognises its errors.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { Apideck } from "@apideck/unify";
import * as errors from "@apideck/unify/models/errors/index.js";

import { startEmulator } from "./emulator.js";

let emulator;
let options;

before(async () => {
  emulator = await startEmulator();
  // Each call names its server: the upload operations ignore the one that the client was made with.
  options = { serverURL: emulator.url, retries: { strategy: "none" } };
});
after(() => emulator?.stop());

const sha1 = (bytes) => createHash("sha1").update(bytes);
const digest = (bytes) => `sha=${sha1(bytes).digest("base64")}`;
const target = (name, size) => ({ name, parentFolderId: "root", size });

function sessions({ apiKey = "key", appId = "app", consumerId = "contract" } = {}) {
  return new Apideck({ apiKey, appId, consumerId }).fileStorage.uploadSessions;
}

async function create(api, serviceId, name, size) {
  const created = await api.create({ serviceId, createUploadSessionRequest: target(name, size) }, options);
  return created.createUploadSessionResponse.data.id;
}

async function get(api, serviceId, id) {
  return (await api.get({ serviceId, id }, options)).getUploadSessionResponse;
}

describe("a file, part by part", () => {
  // As a Uint8Array, a Blob and a stream: the SDK takes them all.
  const bodies = [
    (bytes) => bytes,
    (bytes) => new Blob([bytes]),
    (bytes) => new Blob([bytes]).stream(),
  ];

  for (const [serviceId, parallel] of [["box", true], ["google-drive", false]]) {
    test(`on ${serviceId} comes out byte for byte`, async () => {
      const api = sessions();
      const file = randomBytes(20_000_003);
      const id = await create(api, serviceId, "contract.bin", file.length);

      const { data, service } = await get(api, serviceId, id);
      assert.equal(service, serviceId);
      assert.equal(data.success, false);
      assert.equal(data.partSize, 8_388_608);
      assert.equal(data.parallelUploadSupported, parallel);
      assert.equal(data.uploadedByteRange, undefined);
      assert.ok(data.expiresAt > new Date());

      for (let number = 0; number * data.partSize < file.length; number++) {
        const part = file.subarray(number * data.partSize, (number + 1) * data.partSize);
        const requestBody = bodies[number % bodies.length](part);
        const request = { serviceId, id, partNumber: number, digest: digest(part), requestBody };
        const uploaded = await api.upload(request, options);
        assert.equal(uploaded.updateUploadSessionResponse.data.id, id);
        const held = Math.min((number + 1) * data.partSize, file.length);
        assert.equal((await get(api, serviceId, id)).data.uploadedByteRange, `0-${held - 1}`);
      }

      const finish = { serviceId, id, digest: digest(file), requestBody: {} };
      const finished = (await api.finish(finish, options)).getFileResponse.data;
      assert.equal(finished.name, "contract.bin");
      assert.equal(finished.type, "file");
      assert.equal(finished.size, file.length);
      assert.deepEqual(finished.parentFolders.map((folder) => folder.id), ["root"]);
      assert.ok(finished.createdAt instanceof Date);
      assert.equal((await get(api, serviceId, id)).data.success, true);

      const copy = await fetch(`${emulator.url}/_emulator/files/${finished.id}`);
      assert.ok(file.equals(Buffer.from(await copy.arrayBuffer())));
      const info = await (await fetch(`${emulator.url}/_emulator/files/${finished.id}/info`)).json();
      assert.equal(info.sha1, sha1(file).digest("hex"));
    });

    test(`on ${serviceId} is gone once the session is deleted`, async () => {
      const api = sessions();
      const id = await create(api, serviceId, "gone.bin", 20_000_003);
      const deleted = await api.delete({ serviceId, id }, options);
      assert.equal(deleted.deleteUploadSessionResponse.data.id, id);
      await assert.rejects(api.get({ serviceId, id }, options), errors.NotFoundResponse);
    });
  }

  test("a fractional part size is a number like any other", async () => {
    const api = sessions();
    const id = await create(api, "onedrive", "a", 1);
    assert.equal((await get(api, "onedrive", id)).data.partSize, 10_485_760);
  });

  test("raw answers and every field of create are understood", async () => {
    const api = sessions();
    const createUploadSessionRequest = {
      ...target("a", null),
      driveId: "1",
      passThrough: [{ serviceId: "dropbox", extendObject: { a: 1 } }],
    };
    const created = await api.create({ serviceId: "dropbox", raw: true, createUploadSessionRequest }, options);
    const { data, raw } = created.createUploadSessionResponse;
    assert.equal(raw.id, data.id);
    const fields = await api.get({ serviceId: "dropbox", id: data.id, fields: "id" }, options);
    assert.deepEqual(fields.getUploadSessionResponse.data, { id: data.id });
  });
});

describe("errors are the SDK's own", () => {
  const serviceId = "google-drive";

  async function rejects(promise, type, status, typeName, detail) {
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof type, `${error.name}: ${error.message}`);
      assert.equal(error.statusCode, status);
      assert.equal(error.typeName, typeName);
      assert.match(error.detail, detail);
      assert.match(error.ref, /^https:\/\/developers\.apideck\.com\/errors#/);
      assert.ok(error.httpMeta.response.headers.get("request-id"));
      return true;
    });
  }

  test("400 for a session that Box does not take", async () => {
    const small = create(sessions(), "box", "a", 1);
    await rejects(small, errors.BadRequestResponse, 400, "RequestValidationError", /20000000/);
  });

  test("400 for a part without the digest that Box requires", async () => {
    const api = sessions();
    const id = await create(api, "box", "a", 20_000_000);
    const upload = api.upload({ serviceId: "box", id, partNumber: 0, requestBody: new Uint8Array(8_388_608) }, options);
    await rejects(upload, errors.BadRequestResponse, 400, "RequestHeadersValidationError", /digest/);
  });

  test("401 without a key", async () => {
    const anonymous = create(sessions({ apiKey: "" }), serviceId, "a", 1);
    await rejects(anonymous, errors.UnauthorizedResponse, 401, "UnauthorizedError", /Bearer/);
  });

  test("402, scripted", async () => {
    const fault = { kind: "status", status: 402 };
    await emulator.post("faults", [{ operation: "create", consumer_id: "broke", fault }]);
    const unpaid = create(sessions({ consumerId: "broke" }), serviceId, "a", 1);
    await rejects(unpaid, errors.PaymentRequiredResponse, 402, "RequestLimitError", /402/);
  });

  test("404 for a session of somebody else", async () => {
    const id = await create(sessions(), serviceId, "a", 1);
    const foreign = get(sessions({ consumerId: "stranger" }), serviceId, id);
    await rejects(foreign, errors.NotFoundResponse, 404, "EntityNotFoundError", new RegExp(id));
  });

  test("404 for an unknown connector", async () => {
    const unknown = create(sessions(), "floppy", "a", 1);
    await rejects(unknown, errors.NotFoundResponse, 404, "ConnectorNotFoundError", /floppy/);
  });

  test("422 for a part with a wrong digest", async () => {
    const api = sessions();
    const id = await create(api, serviceId, "a", 1);
    const request = { serviceId, id, partNumber: 0, digest: digest("b"), requestBody: new TextEncoder().encode("a") };
    await rejects(api.upload(request, options), errors.UnprocessableResponse, 422, "InvalidStateError", /digest/);
  });

  test("422 for a finish before the last part", async () => {
    const api = sessions();
    const id = await create(api, serviceId, "a", 1);
    const early = api.finish({ serviceId, id }, options);
    await rejects(early, errors.UnprocessableResponse, 422, "InvalidStateError", /part 0 is missing/);
  });

  test("422 for a delete, scripted", async () => {
    const api = sessions({ consumerId: "scripted" });
    const id = await create(api, serviceId, "a", 1);
    const fault = { kind: "status", status: 422 };
    await emulator.post("faults", [{ operation: "delete", consumer_id: "scripted", fault }]);
    const scripted = api.delete({ serviceId, id }, options);
    await rejects(scripted, errors.UnprocessableResponse, 422, "InvalidStateError", /422/);
  });

  test("any other status is the SDK's general error", async () => {
    const fault = { kind: "status", status: 503, body: "<html>busy</html>" };
    await emulator.post("faults", [{ operation: "create", consumer_id: "busy", fault }]);
    const busy = create(sessions({ consumerId: "busy" }), serviceId, "a", 1);
    await assert.rejects(busy, (error) => error instanceof errors.APIError && error.httpMeta.response.status === 503);
  });
});
