//! Builds the emulator, and runs it for as long as a guard lives.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{self, Group};
use crate::project::Project;
use crate::step;

/// Begins the one line that the emulator prints once it takes requests.
const READY: &str = "upload-emulator listening on ";

/// A running emulator; it ends when this is dropped.
pub(crate) struct Emulator {
    group: Group,
    /// Its address, without a slash at the end.
    pub(crate) url: String,
}

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

impl Emulator {
    /// Starts the program and waits until it takes requests.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, or ends before it takes requests.
    pub(crate) fn start(project: &Project, program: &Path, arguments: &[String]) -> Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        let mut command = project.command(program);
        command.args(arguments).stdout(writer);
        let group = Group::spawn(&mut command)?;
        command.stdout(Stdio::null());
        let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
        let url = lines.by_ref().find_map(|line| address(&line).map(str::to_owned));
        let url = url.with_context(|| format!("{} did not start", process::describe(&command)))?;
        // An emulator whose output nobody reads would stand still in the end.
        thread::spawn(move || lines.for_each(|line| println!("{line}")));
        Ok(Self { group, url })
    }

    /// Starts the program for a test, without a log, on the given port or, where that is
    /// taken, on a free one. What it stores goes to a temporary folder, which it removes.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub(crate) fn start_for_test(project: &Project, program: &Path, port: u16) -> Result<Self> {
        let port = if is_free(port) { port } else { 0 };
        let arguments = ["--quiet".to_owned(), format!("--port={port}")];
        Self::start(project, program, &arguments)
    }

    /// Waits until the emulator ends, which it does not do by itself.
    ///
    /// # Errors
    ///
    /// Always, once it has ended.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.group.wait()?;
        bail!("the emulator ended: {status}")
    }
}

/// Says whether a port of this machine can be listened on.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn address(line: &str) -> Option<&str> {
    line.trim().strip_prefix(READY).map(|url| url.trim_end_matches('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_address() {
        let line = "upload-emulator listening on http://127.0.0.1:8787\n";
        assert_eq!(address(line), Some("http://127.0.0.1:8787"));
        assert_eq!(address("listening"), None);
    }

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert!(is_free(0));
    }
}
