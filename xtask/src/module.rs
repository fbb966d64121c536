//! Builds the WebAssembly module and its JavaScript into `pkg/dist`.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::setup::{Need, ROOT_PACKAGES};
use crate::step;

/// What building the module takes.
pub(crate) const NEEDS: &[Need] = &[Need::Node, Need::WasmTarget, ROOT_PACKAGES, Need::WasmTools];

const OUT: &str = "pkg/dist";
/// What has to be there after a build.
const PRODUCTS: [&str; 2] = ["upload_session_bg.wasm", "upload_session.js"];
/// What wasm-pack adds and the package must not have: npm would leave out what its .gitignore
/// names.
const UNWANTED: [&str; 2] = [".gitignore", "README.md"];

/// Builds the module for release.
///
/// # Errors
///
/// Where the build fails or its products are missing.
pub(crate) fn build(project: &Project) -> Result<()> {
    let out = project.root.join(OUT);
    if project.find("wasm-opt").is_none() {
        bail!("wasm-opt is missing: npm ci at the root brings it");
    }
    if out.exists() {
        // What an earlier build left must not be shipped.
        fs::remove_dir_all(&out).with_context(|| format!("cannot empty {OUT}"))?;
    }
    step(format_args!("building the module into {OUT}"));
    let started = Instant::now();
    let mut wasm_pack = project.command("wasm-pack");
    // no-install: the tools are ours; nothing is to be downloaded on the way.
    wasm_pack.args(["build", "--mode", "no-install", "--release", "--target", "web"]);
    wasm_pack.args(["--no-pack", "--no-typescript", "--out-dir", OUT]);
    process::run(&mut wasm_pack)?;
    for name in UNWANTED {
        let file = out.join(name);
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    for name in PRODUCTS {
        if !out.join(name).is_file() {
            bail!("wasm-pack ended well, but {OUT}/{name} is missing");
        }
    }
    step(format_args!("built the module in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}
