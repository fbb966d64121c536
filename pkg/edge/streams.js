// Streams of bytes (WHATWG Streams) as the proxy needs them: passed on, or read as a text, never further than allowed.

/**
 * Passes a body on without keeping it, as a stream that fails where the body has other than `length` bytes. `sent` is
 * fulfilled once all of it was taken.
 */
export function exactly(length, body, signal) {
  const { readable, writable } = newExact(length);
  const sent = (body ?? new Blob().stream()).pipeTo(writable, { signal });
  return { readable, sent };
}

/** Why a body of another length than declared goes no further. */
export class WrongLength extends TypeError {}

function newExact(length) {
  // Workers have it built in: bytes do not come by JavaScript at all, and the runtime knows the length.
  if (typeof FixedLengthStream === "function") return new FixedLengthStream(length);
  let rest = length;
  return new TransformStream({
    transform(chunk, controller) {
      rest -= chunk.byteLength;
      if (rest < 0) throw new WrongLength("The body is longer than its Content-Length");
      controller.enqueue(chunk);
    },
    flush() {
      if (rest > 0) throw new WrongLength("The body is shorter than its Content-Length");
    },
  });
}

/** Reads a body as UTF-8; undefined where it has more than `limit` bytes. */
export async function readText(body, limit) {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
