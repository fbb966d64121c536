// What `import module from "upload-session/edge.wasm"` is on Workers: the compiled module.
declare const module: WebAssembly.Module;
export default module;
