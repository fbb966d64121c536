export { default } from "./dist/upload_session.js";
export * from "./dist/upload_session.js";
