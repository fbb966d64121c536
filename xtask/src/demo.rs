//! The demo page, served by the emulator.

use anyhow::{Result, bail};

use crate::emulator::{self, Emulator};
use crate::flags::Demo;
use crate::module;
use crate::project::Project;
use crate::{setup, step};

const PORT: u16 = 8787;

/// Builds and serves the demo until Ctrl-C.
///
/// # Errors
///
/// Where something cannot be built, or the emulator ends.
pub(crate) fn run(project: &Project, flags: &Demo) -> Result<()> {
    if !project.root.join("www/index.html").is_file() {
        bail!("missing: www/index.html");
    }
    setup::provide(project, module::NEEDS)?;
    module::build(project)?;
    let program = emulator::build(project)?;
    let wanted = flags.port.unwrap_or(PORT);
    let port = if wanted == 0 || emulator::is_free(wanted) {
        wanted
    } else {
        step(format_args!("port {wanted} is taken, using a free one"));
        0
    };
    let emulator = Emulator::start(project, &program, &arguments(port, flags.rate))?;
    println!("{}", banner(&emulator.url));
    emulator.wait()
}

fn arguments(port: u16, rate: Option<u64>) -> Vec<String> {
    // Quiet: a line for each request would carry the address off the screen.
    let mut arguments = vec!["--quiet".to_owned(), format!("--port={port}")];
    arguments.extend(["--mount=/=www".to_owned(), "--mount=/pkg=pkg".to_owned()]);
    arguments.extend(rate.map(|rate| format!("--rate={rate}")));
    arguments
}

fn banner(url: &str) -> String {
    let line = "-".repeat(60);
    format!("\n{line}\n  The demo is ready. Open\n\n      {url}/\n\n  Ctrl-C ends it.\n{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_the_page_and_the_package() {
        let expected = ["--quiet", "--port=1", "--mount=/=www", "--mount=/pkg=pkg"];
        assert_eq!(arguments(1, None), expected);
        assert_eq!(arguments(1, Some(5)).last().map(String::as_str), Some("--rate=5"));
    }

    #[test]
    fn the_address_stands_alone_on_its_line() {
        assert!(banner("http://127.0.0.1:1").lines().any(|line| line.trim() == "http://127.0.0.1:1/"));
    }
}
