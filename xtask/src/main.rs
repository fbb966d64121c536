//! Runs the commands of the workspace.
fn main() {}
