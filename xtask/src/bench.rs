//! The side-by-side measurement: builds what it takes, then `bench/run.js` measures.

use std::process::Command;

use anyhow::Result;

use crate::flags::Bench;
use crate::project::Project;
use crate::setup::{self, Need, ROOT_PACKAGES};
use crate::{emulator, module, process, step};

/// What measuring takes.
const NEEDS: &[Need] = &[
    Need::Node,
    Need::WasmTarget,
    Need::Browsers,
    ROOT_PACKAGES,
    Need::Packages("tests/e2e"),
    Need::Packages("bench"),
    Need::WasmTools,
    Need::Geckodriver,
];

/// The group whose numbers come from the engine's own benchmark.
const EVENTS: &str = "events";

/// Measures the chosen groups.
///
/// # Errors
///
/// Where something cannot be built, or an upload fails.
pub(crate) fn run(project: &Project, flags: &Bench) -> Result<()> {
    setup::provide(project, NEEDS)?;
    if !flags.no_build {
        module::build(project)?;
    }
    let browsers = setup::locate_browsers(project)?;
    let criterion = project.target.join("criterion");
    if flags.groups.is_empty() || flags.groups.iter().any(|group| group == EVENTS) {
        step("measuring the engine");
        let arguments = ["bench", "--profile=native", "--package=upload-session-engine", "--bench=events"];
        process::run(project.cargo(arguments).env("CRITERION_HOME", &criterion))?;
    }
    let mut node = project.command("node");
    node.arg("bench/run.js").env("UPLOAD_EMULATOR_BIN", emulator::build(project)?);
    node.env("CRITERION_HOME", criterion);
    node.env("CHROMIUM", browsers.chromium).env("CHROMEDRIVER", browsers.chromedriver);
    node.env("FIREFOX", browsers.firefox).env("GECKODRIVER", browsers.geckodriver);
    pass_on(&mut node, flags);
    process::run(&mut node)
}

/// Hands the flags to the script, which has the same.
fn pass_on(node: &mut Command, flags: &Bench) {
    node.args(&flags.groups);
    node.args(flags.rounds.map(|rounds| format!("--rounds={rounds}")));
    node.args(flags.size_mib.map(|mib| format!("--size-mib={mib}")));
    node.args(flags.only.as_ref().map(|names| format!("--only={names}")));
    node.args(flags.browser.as_ref().map(|browser| format!("--browser={browser}")));
    node.args(flags.print.then_some("--print"));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::flags::{Xtask, XtaskCmd};

    use super::*;

    #[test]
    fn the_script_gets_what_was_given_and_nothing_else() {
        let given = ["bench", "paced", "--rounds", "3", "--only", "limit,ours", "--print", "--no-build"];
        let flags = Xtask::from_vec(given.map(Into::into).to_vec()).unwrap();
        let XtaskCmd::Bench(flags) = flags.subcommand else {
            unreachable!("bench is a command");
        };
        let mut node = Command::new("node");
        pass_on(&mut node, &flags);
        let arguments: Vec<_> = node.get_args().collect();
        assert_eq!(arguments, ["paced", "--rounds=3", "--only=limit,ours", "--print"]);
    }
}
