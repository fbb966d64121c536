//! Builds the WebAssembly modules and their JavaScript into `pkg/dist`: the page's, and the edge's.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::readme;
use crate::sections;
use crate::setup::{Need, ROOT_PACKAGES};
use crate::step;

/// What building the module takes.
pub(crate) const NEEDS: &[Need] = &[Need::Node, Need::WasmTarget, ROOT_PACKAGES, Need::WasmTools];

const OUT: &str = "pkg/dist";
/// Texts of the root that belong to the package as they are.
const LICENSES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];
/// Makes the page's module small.
const SLIM: &str = "xtask/src/slim.mjs";
/// What is built: the crate's folder, where it goes, the name of what has to be there then, and the crate's features where
/// they are not the default.
const MODULES: [Module; 2] =
    [(".", "pkg/dist", "upload_session", Some("page")), ("edge", "pkg/dist/edge", "upload_session_edge", None)];

type Module = (&'static str, &'static str, &'static str, Option<&'static str>);
/// What wasm-pack adds and the package must not have: npm would leave out what its .gitignore
/// names.
const UNWANTED: [&str; 2] = [".gitignore", "README.md"];

/// Builds the modules for release, and makes the package ready to be published.
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
    MODULES.iter().try_for_each(|module| build_one(project, *module))?;
    add_texts(project)
}

/// Puts licences and README beside package.json; git ignores them there.
fn add_texts(project: &Project) -> Result<()> {
    let package = project.root.join("pkg");
    for name in LICENSES {
        fs::copy(project.root.join(name), package.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    let readme = fs::read_to_string(project.root.join("README.md")).context("cannot read README.md")?;
    fs::write(package.join("README.md"), readme::of_package(&readme)).context("cannot write pkg/README.md")
}

fn build_one(project: &Project, (folder, out, name, features): Module) -> Result<()> {
    let out = project.root.join(out);
    step(format_args!("building {name} into {}", out.display()));
    let started = Instant::now();
    let mut wasm_pack = project.command("wasm-pack");
    // no-install: the tools are ours; nothing is to be downloaded on the way.
    wasm_pack.args(["build", folder, "--mode", "no-install", "--release", "--target", "web"]);
    wasm_pack.args(["--no-pack", "--no-typescript", "--out-dir"]).arg(&out);
    if let Some(features) = features {
        wasm_pack.args(["--", "--no-default-features", "--features", features]);
    }
    process::run(&mut wasm_pack)?;
    if features == Some("page") {
        let named = project.root.join(sections::NAMED);
        process::run(project.command("node").arg(project.root.join(SLIM)).arg(&out).arg(name).arg(named))?;
    }
    for name in UNWANTED {
        let file = out.join(name);
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    for file in [format!("{name}_bg.wasm"), format!("{name}.js")] {
        if !out.join(&file).is_file() {
            bail!("wasm-pack ended well, but {}/{file} is missing", out.display());
        }
    }
    step(format_args!("built {name} in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}
