// The worker's script, the entry point of its bundle where the bundler does not make that one by itself. It exports nothing.
export {};
