// (e) tus-js-client as its README shows, every option at its default: one PATCH with the whole file (`chunkSize` is Infinity,
// which its documentation recommends to leave so), to @tus/server.

import { Upload } from "tus-js-client";

export function upload(file, { server }) {
  return new Promise((resolve, reject) => {
    const tus = new Upload(file, {
      endpoint: `${server}/files`,
      retryDelays: [0, 3000, 5000, 10000, 20000],
      metadata: { filename: file.name, filetype: file.type },
      onError: reject,
      onSuccess: resolve,
    });
    tus.findPreviousUploads().then((previous) => {
      if (previous.length > 0) tus.resumeFromPreviousUpload(previous[0]);
      tus.start();
    }, reject);
  });
}
