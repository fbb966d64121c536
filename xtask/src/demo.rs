//! The demo page, served by the emulator, or by the upload edge before it.

use anyhow::{Result, bail};

use crate::emulator;
use crate::flags::Demo;
use crate::module;
use crate::project::Project;
use crate::server::Server;
use crate::setup::{self, Need};
use crate::step;

const PORT: u16 = 8787;
/// The example worker's packages, workerd among them.
const EDGE: Need = Need::Packages("edge");
/// Begins the line that the edge prints once it takes requests.
const EDGE_READY: &str = "upload-edge listening on ";

/// Builds and serves the demo until Ctrl-C.
///
/// # Errors
///
/// Where something cannot be built, or a server ends.
pub(crate) fn run(project: &Project, flags: &Demo) -> Result<()> {
    if !project.root.join("www/index.html").is_file() {
        bail!("missing: www/index.html");
    }
    let needs: Vec<Need> = module::NEEDS.iter().copied().chain(flags.edge.then_some(EDGE)).collect();
    setup::provide(project, &needs)?;
    module::build(project)?;
    let program = emulator::build(project)?;
    let wanted = flags.port.unwrap_or(PORT);
    let port = emulator::free_or_any(wanted);
    if port != wanted {
        step(format_args!("port {wanted} is taken, using a free one"));
    }
    if !flags.edge {
        let emulator = emulator::start(project, &program, &emulator_arguments(port, flags.rate, PAGE))?;
        println!("{}", banner(&emulator.url));
        return emulator.wait();
    }
    let emulator = emulator::start(project, &program, &emulator_arguments(0, flags.rate, &[]))?;
    step("starting the edge");
    let edge = start_edge(project, port, &emulator.url)?;
    println!("{}", banner(&edge.url));
    edge.wait()
}

/// What the emulator serves beside the API where it serves the page.
const PAGE: &[&str] = &["--mount=/=www", "--mount=/pkg=pkg"];

fn emulator_arguments(port: u16, rate: Option<u64>, mounts: &[&str]) -> Vec<String> {
    // Quiet: a line for each request would carry the address off the screen.
    let mut arguments = vec!["--quiet".to_owned(), format!("--port={port}")];
    arguments.extend(mounts.iter().map(|&mount| mount.to_owned()));
    arguments.extend(rate.map(|rate| format!("--rate={rate}")));
    arguments
}

fn start_edge(project: &Project, port: u16, upstream: &str) -> Result<Server> {
    let mut node = project.command("node");
    node.args(["edge/demo/serve.mjs", "--upstream", upstream, "--port"]).arg(port.to_string());
    Server::start(&mut node, EDGE_READY)
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
        assert_eq!(emulator_arguments(1, None, PAGE), expected);
        assert_eq!(emulator_arguments(1, Some(5), PAGE).last().map(String::as_str), Some("--rate=5"));
    }

    #[test]
    fn the_address_stands_alone_on_its_line() {
        assert!(banner("http://127.0.0.1:1").lines().any(|line| line.trim() == "http://127.0.0.1:1/"));
    }
}
