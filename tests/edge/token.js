// Signed session ids, made by hand as edge/src/token.rs documents them: what an attacker who knows the format can make,
// and with the right secret what the proxy itself makes.

import { createHmac } from "node:crypto";

const DOMAIN = "upload-session/edge session id v1\0";
const DAY = 24 * 60 * 60;

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

/** Signs a session id; `size` null for one that was not declared, `service` undefined for none. */
export function sign({ secret, id, consumer, service, size = 1000, expiry = now() + DAY }) {
  const mac = createHmac("sha256", secret).update(DOMAIN);
  const number = (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  for (const field of [id, consumer, service, number(expiry), size === null ? undefined : number(size)]) {
    if (field === undefined) {
      mac.update(Buffer.from([0]));
      continue;
    }
    const bytes = Buffer.from(field);
    mac.update(Buffer.concat([Buffer.from([1]), number(bytes.length), bytes]));
  }
  return `${id}.${expiry}.${size ?? "-"}.${mac.digest("base64url")}`;
}
