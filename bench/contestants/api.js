// The upload sessions API by nothing but fetch, for the contestants that have no client of their own.

/** Opens a session for the file; returns its part size, and what sends parts and ends it. */
export async function openSession(file, { server, service }) {
  const identity = { authorization: "Bearer bench", "x-apideck-app-id": "bench", "x-apideck-consumer-id": "bench", "x-apideck-service-id": service };
  const root = `${server}/file-storage/upload-sessions`;

  async function call(method, url, body, headers) {
    const response = await fetch(url, { method, body, headers: { ...identity, ...headers } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
    return JSON.parse(text).data;
  }

  const json = { "content-type": "application/json" };
  const wanted = JSON.stringify({ name: file.name, parent_folder_id: "root", size: file.size });
  const { id } = await call("POST", root, wanted, json);
  const { part_size: partSize } = await call("GET", `${root}/${id}`);
  const withDigest = (digest) => (digest ? { digest } : {});
  return {
    partSize,
    parts: Math.ceil(file.size / partSize),
    put: (part, body, digest) =>
      call("PUT", `${root}/${id}?part_number=${part}`, body, { "content-type": "application/octet-stream", ...withDigest(digest) }),
    finish: (digest) => call("POST", `${root}/${id}/finish`, "{}", { ...json, ...withDigest(digest) }),
  };
}
