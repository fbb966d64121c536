//! Parts of the Rust toolchain. The installed toolchain is used, whichever it is: none is pinned.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::step;

/// What the module is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Installs the standard library for [`WASM`].
pub(crate) fn wasm_target(project: &Project) -> Result<()> {
    if sysroot(project)?.join("lib/rustlib").join(WASM).join("lib").is_dir() {
        return Ok(());
    }
    rustup(project, &["target", "add", WASM])
}

/// Installs clippy and rustfmt.
pub(crate) fn lints(project: &Project) -> Result<()> {
    let programs = sysroot(project)?.join("bin");
    for (component, program) in [("clippy", "cargo-clippy"), ("rustfmt", "rustfmt")] {
        if !programs.join(program).is_file() {
            rustup(project, &["component", "add", component])?;
        }
    }
    Ok(())
}

fn sysroot(project: &Project) -> Result<PathBuf> {
    let sysroot = process::capture(project.command("rustc").args(["--print", "sysroot"]));
    Ok(sysroot.context("rustc does not say where it is installed")?.into())
}

fn rustup(project: &Project, arguments: &[&str]) -> Result<()> {
    if project.find("rustup").is_none() {
        bail!("rustup is missing: install it from https://rustup.rs, then run this again");
    }
    step(format_args!("rustup {}", arguments.join(" ")));
    process::run(project.command("rustup").args(arguments))
}
