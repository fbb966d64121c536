//! Node, and packages from npm.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::step;

/// Oldest Node that will do.
const OLDEST: u32 = 20;
/// Copy of the package-lock.json that was installed, kept beside what it brought.
const STAMP: &str = "node_modules/.installed-lock.json";

/// Checks that Node and npm are there and new enough.
pub(super) fn check(project: &Project) -> Result<()> {
    let advice = format!(
        "install Node {OLDEST} or newer, with npm, from https://nodejs.org or your system's packages, \
         then run this again"
    );
    let Some(version) = process::capture(project.command("node").arg("--version")) else {
        bail!("Node is missing: {advice}");
    };
    if major(&version).is_none_or(|major| major < OLDEST) {
        bail!("Node {version} is too old: {advice}");
    }
    if project.find("npm").is_none() {
        bail!("npm is missing: {advice}");
    }
    Ok(())
}

/// Installs the packages of one folder, unless those of its present package-lock.json are there.
pub(super) fn packages(project: &Project, folder: &str) -> Result<()> {
    let folder_path = project.root.join(folder);
    let lock = folder_path.join("package-lock.json");
    if !lock.exists() {
        // A suite whose folder is missing fails on its own account.
        return Ok(());
    }
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = folder_path.join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step(format_args!("npm ci in {folder}"));
    let started = Instant::now();
    let mut npm = project.command("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder_path);
    process::run(&mut npm)?;
    // Without packages npm makes no folder.
    fs::create_dir_all(folder_path.join("node_modules"))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    step(format_args!("npm ci in {folder} took {} s", started.elapsed().as_secs()));
    Ok(())
}

/// `v20.20.2` → 20
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("20"), None);
        assert_eq!(major("vnext"), None);
    }
}
