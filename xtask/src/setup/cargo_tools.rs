//! Tools that cargo builds, into `.tools/` of the checkout unless they are on PATH already.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;
use crate::step;

/// Trades speed of the tools, which run for a second, for minutes of building them.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

struct Tool<'a> {
    /// Name of the crate.
    krate: &'a str,
    /// Name of the program.
    program: &'a str,
    /// The version that is installed.
    version: &'a str,
    /// Whether a program of another version that is on PATH will not do.
    exact: bool,
    /// Whether the versions that the crate was released with are used for its dependencies.
    locked: bool,
}

/// Installs wasm-pack, and wasm-bindgen at the very version of the crate in Cargo.lock: the
/// two ends of its format have to agree.
pub(super) fn wasm(project: &Project) -> Result<()> {
    let id = process::capture(&mut project.cargo(["pkgid", "--offline", "wasm-bindgen"]))
        .context("Cargo.lock has no single version of wasm-bindgen")?;
    install(
        project,
        &Tool {
            krate: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: version_of_id(&id),
            exact: true,
            // Its lock file names versions that not every registry has.
            locked: false,
        },
    )?;
    install(project, &Tool { krate: "wasm-pack", program: "wasm-pack", version: "0.15.1", exact: true, locked: true })
}

/// Installs Firefox's driver.
pub(super) fn geckodriver(project: &Project) -> Result<()> {
    install(
        project,
        &Tool { krate: "geckodriver", program: "geckodriver", version: "0.37.1", exact: false, locked: true },
    )
}

/// Removes what was left from building tools.
pub(super) fn clean(project: &Project) -> Result<()> {
    let target = project.tools().join("target");
    if target.exists() {
        fs::remove_dir_all(&target).context("cannot remove .tools/target")?;
    }
    Ok(())
}

fn install(project: &Project, tool: &Tool<'_>) -> Result<()> {
    if is_installed(project, tool) {
        return Ok(());
    }
    let Tool { krate, version, .. } = tool;
    step(format_args!("building {krate} {version} into .tools, which takes some minutes"));
    let started = Instant::now();
    let mut cargo = project.cargo(["install", krate, "--version", version]);
    if tool.locked {
        cargo.arg("--locked");
    }
    // One target folder: the tools share many of their dependencies.
    cargo.env("CARGO_TARGET_DIR", project.tools().join("target"));
    process::run(cargo.arg("--root").arg(project.tools()).envs(QUICK_BUILD))?;
    step(format_args!("built {krate} in {} s", started.elapsed().as_secs()));
    Ok(())
}

fn is_installed(project: &Project, tool: &Tool<'_>) -> bool {
    if !tool.exact {
        return project.find(tool.program).is_some();
    }
    process::capture(project.command(tool.program).arg("--version"))
        .is_some_and(|text| version_of_tool(&text) == Some(tool.version))
}

/// `wasm-bindgen 0.2.130 (abc)` → `0.2.130`
fn version_of_tool(text: &str) -> Option<&str> {
    text.split_whitespace().nth(1)
}

/// `registry+https://…#wasm-bindgen@0.2.130` → `0.2.130`
fn version_of_id(id: &str) -> &str {
    id.rsplit(['#', '@']).next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_of_tools() {
        assert_eq!(version_of_tool("wasm-pack 0.15.1"), Some("0.15.1"));
        assert_eq!(version_of_tool("wasm-bindgen 0.2.130 (1234abc)"), Some("0.2.130"));
        assert_eq!(version_of_tool(""), None);
    }

    #[test]
    fn reads_versions_of_package_ids() {
        let registry = "registry+https://github.com/rust-lang/crates.io-index#wasm-bindgen@0.2.130";
        assert_eq!(version_of_id(registry), "0.2.130");
        assert_eq!(version_of_id("path+file:///p/wasm-bindgen#0.2.131"), "0.2.131");
    }
}
