// What a bundler makes of `import address from "upload-session/upload_session.wasm"` where it is told to copy the file (a
// "file" loader, an asset): where the copy lies.
declare const address: string;
export default address;
