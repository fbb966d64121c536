// A foil: a proxy that works, and checks nothing. Every attack has to get through it, or it is no attack.

const CONNECTION = ["connection", "keep-alive", "transfer-encoding", "content-length", "expect", "upgrade"];
const SIGNATURE = ".0.-.unsigned";

export function createUnguardedProxy({ upstream, apiKey, appId, authorize }) {
  return async (request) => {
    const grant = await authorize(request);
    const headers = new Headers(request.headers);
    // Connections are the runtimes' own affair; they refuse to be told.
    for (const name of CONNECTION) headers.delete(name);
    headers.set("authorization", `Bearer ${apiKey}`);
    setDefault(headers, "x-apideck-app-id", appId);
    setDefault(headers, "x-apideck-consumer-id", grant?.consumerId ?? "anybody");
    if (grant?.serviceId) setDefault(headers, "x-apideck-service-id", grant.serviceId);
    setDefault(headers, "x-forwarded-host", headers.get("host"));
    const method = override(request) ?? request.method;
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: crossOrigin(request) });
    const body = await whatCame(request);
    const answer = await fetch(upstream + target(request), { method, headers, body, redirect: "manual" });
    return reply(request, answer);
  };
}

function setDefault(headers, name, value) {
  if (!headers.has(name)) headers.set(name, value);
}

function override({ url, headers }) {
  const names = ["x-http-method-override", "x-http-method", "x-method-override"];
  return names.map((name) => headers.get(name)).find((method) => method) ?? new URL(url).searchParams.get("_method");
}

/** The path and query as they came, without signatures. */
function target({ url }) {
  const { origin } = new URL(url);
  const end = /^(.*?)\.[\d-]*\.[\d-]*\.[\w-]*(?=[/?]|$)/;
  return url.slice(url.indexOf("/", origin.indexOf("//") + 2)).replace(end, "$1");
}

/** Reads as much of the body as there is. */
async function whatCame({ body }) {
  if (!body) return undefined;
  const chunks = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch {
    // It broke off: what is here will do.
  }
  return chunks.length === 0 ? undefined : new Blob(chunks);
}

async function reply(request, answer) {
  const headers = new Headers([...answer.headers, ...Object.entries(crossOrigin(request))]);
  headers.delete("content-length");
  const text = await answer.text();
  const created = request.method === "POST" && new URL(request.url).pathname === "/file-storage/upload-sessions";
  return new Response(created ? sign(text) : text, { status: answer.status, headers });
}

function sign(text) {
  try {
    const answer = JSON.parse(text);
    answer.data.id += SIGNATURE;
    return JSON.stringify(answer);
  } catch {
    return text;
  }
}

function crossOrigin(request) {
  const origin = request.headers.get("origin");
  if (origin === null) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, POST, PUT, DELETE",
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
  };
}
