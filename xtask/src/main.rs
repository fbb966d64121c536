//! Runs the commands of the workspace: `cargo xtask --help` lists them.

mod bench;
#[cfg(test)]
mod coverage;
mod demo;
mod docs;
mod emulator;
mod flags;
mod module;
mod process;
mod project;
mod readme;
mod report;
mod runners;
mod sections;
mod server;
mod setup;
mod size;
mod suites;

use std::process::ExitCode;

use anyhow::Result;

use flags::{Xtask, XtaskCmd};
use project::Project;
use setup::Need;

/// The exit code for a command line that cannot be understood.
const MISUSE: u8 = 2;

fn main() -> ExitCode {
    let command = match Xtask::from_env() {
        Ok(flags) => flags.subcommand,
        Err(answer) if answer.is_help() => {
            println!("{answer}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("{}", complaint(&mistake));
            return ExitCode::from(MISUSE);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn complaint(mistake: &impl std::fmt::Display) -> String {
    format!("error: {mistake}\nThe commands are setup, build, demo, test, size, docs and bench: see cargo xtask --help")
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
        XtaskCmd::Docs(_) => {
            setup::provide(&project, docs::NEEDS)?;
            docs::make(&project)?;
        }
        XtaskCmd::Bench(flags) => bench::run(&project, &flags)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what is done next.
fn step(what: impl std::fmt::Display) {
    println!("==> {what}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_called_an_error_and_names_the_help() {
        let mistake = Xtask::from_vec(vec!["demo".into(), "--prot".into()]).unwrap_err();
        let text = complaint(&mistake);
        assert!(text.starts_with("error: ") && text.contains("--prot"), "{text}");
        assert!(text.ends_with("see cargo xtask --help"), "{text}");
        assert!(Xtask::from_vec(vec!["--help".into()]).unwrap_err().is_help());
    }

    #[test]
    fn the_hint_names_every_command() {
        let help = Xtask::from_vec(vec!["--help".into()]).unwrap_err().to_string();
        let hint = complaint(&"");
        for command in ["setup", "build", "demo", "test", "size", "docs", "bench"] {
            assert!(help.contains(command) && hint.contains(command), "{command}");
        }
    }
}
