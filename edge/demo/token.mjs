// Prints a login as an application would make it, for trying the worker out: npm run --silent token NAME ['{"maxFileSize": 1000}']
//
// Signed with LOGIN_SECRET of .dev.vars; the second argument is what it grants, the claim `upload`.

import { SignJWT } from "jose";
import { setting } from "./settings.mjs";

const [name, upload] = process.argv.slice(2);
if (!name) throw new Error("whose login? npm run --silent token NAME");
const { LOGIN_SECRET } = process.env;
if (!LOGIN_SECRET) throw new Error("LOGIN_SECRET is not set in .dev.vars");
const token = await new SignJWT(upload ? { upload: JSON.parse(upload) } : {})
  .setProtectedHeader({ alg: "HS256" })
  .setSubject(name)
  .setIssuer(await setting("LOGIN_ISSUER"))
  .setAudience(await setting("LOGIN_AUDIENCE"))
  .setExpirationTime("1h")
  .sign(new TextEncoder().encode(LOGIN_SECRET));
console.log(token);
