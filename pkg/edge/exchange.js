// Carries one request through the proxy, step by step, as the policy says.

import { WrongLength, exactly, readText } from "./streams.js";

// Most bytes of an upstream's answer that are read; the API's have some hundred.
const ANSWER_LIMIT = 1_048_576;
// Milliseconds that the text of an error may take where it comes before upstream has taken the whole body: workerd tells
// no text until then, and upstream may never take it. Its status and retry-after are what counts.
const EARLY_TEXT = 1000;

/** Takes the steps of an exchange until there is an answer. */
export async function carryOut(exchange, request, env, { authorize, timeout }) {
  for (;;) {
    const step = exchange.step();
    if (step.do === "authorize") await grant(exchange, authorize, request, env);
    else if (step.do === "read") await read(exchange, request, step.limit);
    else if (step.do === "send") await send(exchange, request, step, timeout);
    else return respond(step);
  }
}

export function respond({ status, headers, body }) {
  return new Response(body, { status, headers });
}

async function grant(exchange, authorize, request, env) {
  const { method, url, headers, cf } = request;
  let grant;
  try {
    // A copy without the body, which is not to be read twice.
    grant = await authorize(new Request(url, { method, headers, cf }), env);
    grant = grant === null || grant === undefined ? undefined : JSON.stringify(grant);
  } catch (error) {
    // Its message may quote what the caller sent; where it comes from does not.
    const frames = String(error?.stack).split("\n").filter((line) => /^\s+at /.test(line));
    console.error([`upload-session/edge: authorize failed with ${error?.name ?? typeof error}`, ...frames].join("\n"));
    return exchange.failed("authorize_failed");
  }
  exchange.granted(grant, Date.now());
  const step = exchange.step();
  if (step.status === 500) console.error(`upload-session/edge: ${JSON.parse(step.body).detail}`);
}

async function read(exchange, request, limit) {
  let text;
  try {
    text = await readText(request.body, limit);
  } catch {
    return exchange.failed("body_broken");
  }
  if (text === undefined) exchange.failed("body_too_large");
  else exchange.read(text);
}

/** Sends the request upstream. Upstream's time to answer begins once it has the whole of it. */
async function send(exchange, request, { method, url, headers, body, length }, timeout) {
  const cancel = new AbortController();
  const { signal } = cancel;
  const stop = () => cancel.abort();
  request.signal?.addEventListener("abort", stop);
  if (request.signal?.aborted) stop();
  const content = length === null ? { readable: body, sent: Promise.resolve() } : exactly(length, request.body, signal);
  let failure = "unreachable";
  let whole = false;
  let timer;
  const wait = () => {
    if (!signal.aborted) timer ??= setTimeout(() => ((failure = "timeout"), stop()), timeout);
  };
  const taken = () => {
    whole = true;
    wait();
  };
  content.sent.then(taken, (error) => {
    if (error instanceof WrongLength) failure = "body_broken";
    // Upstream may have answered before it had all of it.
    wait();
  });
  try {
    const answer = await fetch(url, { method, headers, body: content.readable, duplex: "half", redirect: "manual", signal });
    wait();
    const text = await (whole || answer.status < 400 ? readText(answer.body, ANSWER_LIMIT) : earlyText(answer));
    // It is passed on like any other answer, but it is not about the caller.
    if (answer.status === 401) console.error("upload-session/edge: upstream: refuses the API key");
    const header = (name) => answer.headers.get(name) ?? undefined;
    if (text === undefined) exchange.failed("answer_too_large");
    else exchange.answered(answer.status, header("retry-after"), header("request-id"), text, Date.now());
  } catch (error) {
    // Where the caller has gone, it was its connection that broke, and not upstream's.
    if (request.signal?.aborted) failure = "body_broken";
    if (failure !== "body_broken") console.error(`upload-session/edge: upstream: ${failure}, ${error?.cause?.code ?? error?.name}`);
    exchange.failed(failure);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", stop);
    // What upstream did not want to read is not read.
    stop();
  }
}

/** Returns the text of an error, or none where it cannot be had. */
async function earlyText({ body }) {
  let timer;
  const none = new Promise((resolve) => (timer = setTimeout(resolve, EARLY_TEXT, "")));
  const text = readText(body, ANSWER_LIMIT).catch(() => "");
  return Promise.race([text, none]).finally(() => clearTimeout(timer));
}
