//! Programs that serve until they are ended, and print their address once they are ready.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::process::{self, Group};

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    group: Group,
    what: String,
    /// Its address, without a slash at the end.
    pub(crate) url: String,
}

impl Server {
    /// Starts a program and waits for the line that begins with `ready` and ends with its address.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, or ends before it takes requests.
    pub(crate) fn start(command: &mut Command, ready: &str) -> Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        command.stdout(writer);
        let group = Group::spawn(command)?;
        command.stdout(Stdio::null());
        let what = process::describe(command);
        let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
        let url = lines.by_ref().find_map(|line| address(&line, ready).map(str::to_owned));
        let url = url.with_context(|| format!("{what} did not start"))?;
        // A server whose output nobody reads would stand still in the end.
        thread::spawn(move || lines.for_each(|line| println!("{line}")));
        Ok(Self { group, what, url })
    }

    /// Waits until the server ends, which it does not do by itself.
    ///
    /// # Errors
    ///
    /// Always, once it has ended.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.group.wait()?;
        bail!("{} ended: {status}", self.what)
    }
}

fn address<'a>(line: &'a str, ready: &str) -> Option<&'a str> {
    line.trim().strip_prefix(ready).map(|url| url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_address() {
        let ready = "upload-emulator listening on ";
        let line = "upload-emulator listening on http://127.0.0.1:8787\n";
        assert_eq!(address(line, ready), Some("http://127.0.0.1:8787"));
        assert_eq!(address("listening", ready), None);
    }
}
