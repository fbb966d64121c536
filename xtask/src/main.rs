//! Runs the commands of the workspace: `cargo xtask --help` lists them.

mod demo;
mod emulator;
mod flags;
mod module;
mod process;
mod project;
mod report;
mod runners;
mod setup;
mod size;
mod suites;

use std::process::ExitCode;

use anyhow::Result;

use flags::{Xtask, XtaskCmd};
use project::Project;
use setup::Need;

fn main() -> ExitCode {
    let command = Xtask::from_env_or_exit().subcommand;
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: XtaskCmd) -> Result<ExitCode> {
    process::end_children_on_signals()?;
    let project = Project::locate()?;
    match command {
        XtaskCmd::Setup(_) => setup::provide(&project, Need::ALL)?,
        XtaskCmd::Build(_) => {
            setup::provide(&project, module::NEEDS)?;
            module::build(&project)?;
        }
        XtaskCmd::Demo(flags) => demo::run(&project, &flags)?,
        XtaskCmd::Test(flags) => return suites::run(&project, &flags.suites),
        XtaskCmd::Size(_) => {
            setup::provide(&project, module::NEEDS)?;
            module::build(&project)?;
            size::print(&project)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what is done next.
fn step(what: impl std::fmt::Display) {
    println!("==> {what}");
}
