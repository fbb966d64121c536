// (d) Apideck's SDK as its documentation shows: https://developers.apideck.com/guides/file-upload has the parts uploaded in
// sequence, the SDK's README a File handed to it as it is, and the standalone functions for the smallest bundle.

import { ApideckCore } from "@apideck/unify/core.js";
import { fileStorageUploadSessionsCreate as create } from "@apideck/unify/funcs/fileStorageUploadSessionsCreate.js";
import { fileStorageUploadSessionsFinish as finish } from "@apideck/unify/funcs/fileStorageUploadSessionsFinish.js";
import { fileStorageUploadSessionsGet as get } from "@apideck/unify/funcs/fileStorageUploadSessionsGet.js";
import { fileStorageUploadSessionsUpload as uploadPart } from "@apideck/unify/funcs/fileStorageUploadSessionsUpload.js";

/** `digests` computes what goes with each part and with the file, where the connector asks for it. */
export async function upload(file, { server, service: serviceId }, digests) {
  const apideck = new ApideckCore({ apiKey: "bench", appId: "bench", consumerId: "bench" });
  // The operations of upload sessions have a server of their own, whatever the client was made with.
  const options = { serverURL: server };
  const createUploadSessionRequest = { name: file.name, parentFolderId: "root", size: file.size };
  const created = value(await create(apideck, { serviceId, createUploadSessionRequest }, options));
  const { id } = created.createUploadSessionResponse.data;
  const { partSize } = value(await get(apideck, { serviceId, id }, options)).getUploadSessionResponse.data;
  for (let partNumber = 0; partNumber * partSize < file.size; partNumber++) {
    const start = partNumber * partSize;
    const requestBody = file.slice(start, start + partSize, "application/octet-stream");
    const digest = await digests?.ofPart(requestBody);
    value(await uploadPart(apideck, { serviceId, id, partNumber, digest, requestBody }, options));
  }
  value(await finish(apideck, { serviceId, id, digest: digests?.ofFile(), requestBody: {} }, options));
}

function value(result) {
  if (!result.ok) throw result.error;
  return result.value;
}
