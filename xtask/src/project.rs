//! Where things are, and commands that find the project's own tools first.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The checkout that the commands work on.
pub(crate) struct Project {
    /// The workspace's root folder.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    path: OsString,
}

impl Project {
    /// Finds the workspace that this program was built from.
    ///
    /// # Errors
    ///
    /// Where cargo cannot be run or does not know the workspace.
    pub(crate) fn locate() -> Result<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let output = Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(&manifest_dir)
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let folder = |key: &str| -> Result<PathBuf> {
            let folder = metadata[key].as_str();
            Ok(folder.with_context(|| format!("cargo metadata has no {key}"))?.into())
        };
        let (root, target) = (folder("workspace_root")?, folder("target_directory")?);
        let path = tools_first(&root, &env::var_os("PATH").unwrap_or_default())?;
        Ok(Self { root, target, path })
    }

    /// Folder of the tools that are installed for this checkout alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// Prepares a program, run at the root, with the project's own tools first on its PATH.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = program.as_ref();
        // `Command` looks names up in this process's PATH where the child's was not set before
        // on the platform at hand; a full path leaves no doubt.
        let found = program.to_str().and_then(|name| self.find(name));
        let mut command = Command::new(found.as_deref().unwrap_or(Path::new(program)));
        command.current_dir(&self.root).env("PATH", &self.path);
        command
    }

    /// Prepares cargo.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Finds a program on the PATH that [`command`](Self::command) gives.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|folder| folder.join(program)).find(|file| is_program(file))
    }
}

fn tools_first(root: &Path, path: &OsStr) -> Result<OsString> {
    let own = [root.join(".tools/bin"), root.join("node_modules/.bin")];
    env::join_paths(own.into_iter().chain(env::split_paths(path))).context("the project's folder cannot be put on PATH")
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn own_tools_come_before_everything_on_path() {
        let path = tools_first(Path::new("/p"), OsStr::new("/usr/bin:/bin")).unwrap();
        assert_eq!(path, "/p/.tools/bin:/p/node_modules/.bin:/usr/bin:/bin");
    }

    #[test]
    fn a_folder_that_would_split_path_is_refused() {
        assert!(tools_first(Path::new("/a:b"), OsStr::new("/bin")).is_err());
    }

    #[test]
    fn programs_are_executable_files() {
        assert!(is_program(Path::new("/bin/sh")));
        assert!(!is_program(Path::new("/bin")));
        assert!(!is_program(Path::new("/etc/passwd")));
        assert!(!is_program(Path::new("/no/such/program")));
    }
}
