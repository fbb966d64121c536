//! Builds the emulator, and runs it for as long as a guard lives.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::process;
use crate::project::Project;
use crate::server::Server;
use crate::step;

/// Begins the one line that the emulator prints once it takes requests.
const READY: &str = "upload-emulator listening on ";

/// Builds the emulator, fast to run, and returns its program.
///
/// # Errors
///
/// Where the build fails.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    step("building the emulator");
    let started = Instant::now();
    // Profile `release` is tuned for the size of the module; `native` is for speed.
    process::run(&mut project.cargo(["build", "--profile=native", "--package=upload-emulator"]))?;
    let program = project.target.join("native/upload-emulator");
    if !program.is_file() {
        bail!("cargo ended well, but {} is missing", program.display());
    }
    step(format_args!("built the emulator in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(program)
}

/// Starts the program and waits until it takes requests.
///
/// # Errors
///
/// Where it cannot be started, or ends before it takes requests.
pub(crate) fn start(project: &Project, program: &Path, arguments: &[String]) -> Result<Server> {
    Server::start(project.command(program).args(arguments), READY)
}

/// Starts the program for a test, without a log, on the given port or, where that is
/// taken, on a free one. What it stores goes to a temporary folder, which it removes.
///
/// # Errors
///
/// As [`start`].
pub(crate) fn start_for_test(project: &Project, program: &Path, port: u16) -> Result<Server> {
    start(project, program, &["--quiet".to_owned(), format!("--port={}", free_or_any(port))])
}

/// Returns a port where it can be listened on, and else 0, which is any that is free.
pub(crate) fn free_or_any(port: u16) -> u16 {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() { port } else { 0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(free_or_any(port), 0);
    }
}
