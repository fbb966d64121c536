// (f) Uppy with its XHR upload, every option at its default: one multipart request with the whole file, to a plain sink.

import Uppy from "@uppy/core";
import XHRUpload from "@uppy/xhr-upload";

export async function upload(file, { server }) {
  const uppy = new Uppy().use(XHRUpload, { endpoint: `${server}/sink` });
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const { failed } = await uppy.upload();
  if (failed.length > 0) throw new Error(failed[0].error);
}
