//! Chromium and Firefox with their drivers: those on PATH, or Debian's.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::step;

/// Debian's packages; without those they recommend, which tests have no use for.
const INSTALL: [&str; 6] = ["install", "-y", "--no-install-recommends", "chromium", "chromium-driver", "firefox-esr"];

/// Where the browsers and their drivers are.
pub(crate) struct Browsers {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    pub(crate) firefox: PathBuf,
    pub(crate) geckodriver: PathBuf,
}

/// Finds the browsers and drivers: what the environment names (`CHROMIUM`, `CHROMEDRIVER`,
/// `FIREFOX`, `GECKODRIVER`), or what is on PATH.
///
/// # Errors
///
/// Where one is missing.
pub(crate) fn locate(project: &Project) -> Result<Browsers> {
    let need = |found: Option<PathBuf>, what: &str| {
        found.with_context(|| format!("{what} is neither on PATH nor set as {what}"))
    };
    Ok(Browsers {
        chromium: need(chromium(project), "CHROMIUM")?,
        chromedriver: need(chromedriver(project), "CHROMEDRIVER")?,
        firefox: need(firefox(project), "FIREFOX")?,
        geckodriver: need(find(project, "GECKODRIVER", &["geckodriver"]), "GECKODRIVER")?,
    })
}

/// Installs the browsers from Debian's packages where one is missing and that can be done.
pub(super) fn provide(project: &Project) -> Result<()> {
    if are_there(project) {
        return Ok(());
    }
    if let Some(advice) = obstacle(project.find("apt-get").is_some(), is_root()) {
        bail!("a browser is missing: {advice}");
    }
    step("apt-get update");
    process::run(apt_get(project).arg("update"))?;
    step(format_args!("apt-get {}", INSTALL.join(" ")));
    process::run(apt_get(project).args(INSTALL))?;
    if !are_there(project) {
        bail!("apt-get ended well, and yet a browser is missing");
    }
    Ok(())
}

/// Says what to do where this program cannot install a browser by itself.
fn obstacle(has_apt: bool, is_root: bool) -> Option<String> {
    if !has_apt {
        return Some(
            "install Chromium, chromedriver and Firefox so that they are on PATH, or name them by \
             CHROMIUM, CHROMEDRIVER and FIREFOX, then run this again"
                .to_owned(),
        );
    }
    let install = INSTALL.join(" ");
    (!is_root).then(|| format!("run this, then try again:\n\n    sudo apt-get update && sudo apt-get {install}\n"))
}

fn are_there(project: &Project) -> bool {
    chromium(project).is_some() && chromedriver(project).is_some() && firefox(project).is_some()
}

fn chromium(project: &Project) -> Option<PathBuf> {
    find(project, "CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "chrome"])
}

fn chromedriver(project: &Project) -> Option<PathBuf> {
    find(project, "CHROMEDRIVER", &["chromedriver"])
}

fn firefox(project: &Project) -> Option<PathBuf> {
    find(project, "FIREFOX", &["firefox", "firefox-esr"])
}

fn find(project: &Project, variable: &str, names: &[&str]) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    named.filter(|path| path.exists()).or_else(|| names.iter().find_map(|name| project.find(name)))
}

fn apt_get(project: &Project) -> Command {
    let mut command = project.command("apt-get");
    // Without a terminal of its own apt may not touch ours.
    command.args(["-q", "-o", "Dpkg::Use-Pty=0"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The owner of a process's entry is its effective user.
    Path::new("/proc/self").metadata().is_ok_and(|meta| meta.uid() == 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn root_with_apt_installs_by_itself() {
        assert_eq!(obstacle(true, true), None);
    }

    #[test]
    fn others_are_told_the_command() {
        let advice = obstacle(true, false).unwrap();
        let command = "sudo apt-get update && sudo apt-get install -y --no-install-recommends \
                       chromium chromium-driver firefox-esr";
        assert!(advice.lines().any(|line| line.trim() == command), "{advice}");
    }

    #[test]
    fn without_apt_the_programs_are_named() {
        assert!(obstacle(false, true).unwrap().contains("CHROMEDRIVER"));
    }
}
