//! The test command: every suite there is, in one table.

mod session;
mod verdict;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::report::{Report, Row, Tally};
use crate::setup::{self, Missing, Need, ROOT_PACKAGES};
use crate::{docs, module, step};

use session::{Browser, Session};

struct Suite {
    name: &'static str,
    needs: &'static [Need],
    run: fn(&Session<'_>) -> Result<Tally>,
}

/// All suites, in the order they run: what is quick to fail comes first.
const SUITES: &[Suite] = &[
    suite("fmt", LINTS, |s| s.fmt()),
    suite("clippy", LINTS, |s| s.clippy()),
    suite("rustdoc", LINTS, |s| s.rustdoc()),
    suite("engine", &[], |s| s.cargo_test(&["--package=upload-session-engine"])),
    // What the module tests of itself without a browser.
    suite("module", &[], |s| s.cargo_test(&["--package=upload-session", "--lib"])),
    suite("policy", &[], |s| s.cargo_test(&["--package=upload-session-edge"])),
    suite("emulator", &[], |s| s.cargo_test(&["--package=upload-emulator"])),
    // Hundreds of uploads over real HTTP, each with misfortunes of its own.
    suite("storm", &[], |s| s.cargo_test(&["--package=upload-storm"])),
    suite("xtask", &[], |s| s.cargo_test(&["--package=xtask"])),
    suite("build", module::NEEDS, |s| s.build()),
    suite("size", module::NEEDS, |s| s.size()),
    suite("browser-chromium", BROWSERS, |s| s.in_browser(Browser::Chromium)),
    suite("browser-firefox", BROWSERS, |s| s.in_browser(Browser::Firefox)),
    suite("types", TYPES, |s| s.types()),
    suite("docs", docs::NEEDS, |s| s.docs()),
    suite("contract", CONTRACT, |s| s.contract()),
    // What the measurements are made of, not the measurements.
    suite("bench", BENCH, |s| s.bench()),
    suite("edge", EDGE, |s| s.edge()),
    suite("package", PACKAGE, |s| s.package()),
    suite("e2e", END_TO_END, |s| s.end_to_end()),
];

const LINTS: &[Need] = &[Need::Lints, Need::WasmTarget];
const BROWSERS: &[Need] = &[Need::WasmTarget, Need::Browsers, Need::WasmTools, Need::Geckodriver];
const TYPES: &[Need] = &[Need::Node, Need::Packages("tests/types")];
const CONTRACT: &[Need] = &[Need::Node, Need::Packages("tests/contract")];
const BENCH: &[Need] = &[Need::Node, Need::Packages("bench")];
/// The packages of the example worker, and of the tests of everything that runs on the edge.
const EDGE: &[Need] = &[
    Need::Node,
    Need::WasmTarget,
    ROOT_PACKAGES,
    Need::Packages("edge"),
    Need::Packages("tests/edge"),
    Need::WasmTools,
];
/// The suite drives browsers as the end-to-end tests do.
const PACKAGE: &[Need] = &[
    Need::Node,
    Need::WasmTarget,
    Need::Browsers,
    ROOT_PACKAGES,
    Need::Packages("tests/e2e"),
    Need::Packages("tests/package"),
    Need::WasmTools,
    Need::Geckodriver,
];
const END_TO_END: &[Need] = &[
    Need::Node,
    Need::WasmTarget,
    Need::Browsers,
    ROOT_PACKAGES,
    Need::Packages("edge"),
    Need::Packages("tests/edge"),
    // The guides' examples, and what they import.
    Need::Packages(docs::FOLDER),
    Need::Packages("tests/e2e"),
    Need::WasmTools,
    Need::Geckodriver,
];

/// Installs what the chosen suites need, runs them all, and prints the report. A suite that needs
/// what cannot be installed fails, and the others run all the same.
///
/// # Errors
///
/// Where a name is of no suite, or what was left from building tools cannot be removed.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<ExitCode> {
    let chosen = choose(names)?;
    let needs: Vec<Need> = chosen.iter().flat_map(|suite| suite.needs).copied().collect();
    let missing = setup::provide_as_far_as_possible(project, &needs)?;
    let session = Session::new(project);
    let mut report = Report::default();
    for suite in chosen {
        report.rows.push(suite.run(&session, &missing));
    }
    println!("\n{report}");
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes the suites whose names are, or begin with, one of those given; all where none is.
fn choose(names: &[String]) -> Result<Vec<&'static Suite>> {
    for name in names {
        if !SUITES.iter().any(|suite| suite.name.starts_with(name.as_str())) {
            let all: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
            bail!("no suite is called {name}; there are {}", all.join(", "));
        }
    }
    let wanted = |suite: &&Suite| names.is_empty() || names.iter().any(|name| suite.name.starts_with(name.as_str()));
    Ok(SUITES.iter().filter(wanted).collect())
}

const fn suite(name: &'static str, needs: &'static [Need], run: fn(&Session<'_>) -> Result<Tally>) -> Suite {
    Suite { name, needs, run }
}

impl Suite {
    /// Runs the suite to its end, whatever becomes of it, unless it lacks something.
    fn run(&self, session: &Session<'_>, missing: &[Missing]) -> Row {
        println!();
        step(format_args!("suite {}", self.name));
        let started = Instant::now();
        let result = self.has_all(missing).and_then(|()| (self.run)(session));
        let time = started.elapsed();
        let (tally, reason) = match result {
            Ok(tally) => (tally, None),
            Err(error) => (Tally::FAILED, Some(format!("{error:#}"))),
        };
        if let Some(reason) = &reason {
            println!("error: {reason}");
        }
        step(format_args!("suite {}: {tally}, {:.1} s", self.name, time.as_secs_f64()));
        Row { suite: self.name, tally, time, reason }
    }

    fn has_all(&self, missing: &[Missing]) -> Result<()> {
        match missing.iter().find(|missing| self.needs.contains(&missing.need)) {
            Some(Missing { reason, .. }) => bail!("{reason}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(filter: &[&str]) -> Vec<&'static str> {
        let filter: Vec<String> = filter.iter().map(|&name| name.to_owned()).collect();
        choose(&filter).unwrap().iter().map(|suite| suite.name).collect()
    }

    #[test]
    fn without_names_all_suites_run() {
        assert_eq!(names(&[]).len(), SUITES.len());
    }

    #[test]
    fn the_beginning_of_a_name_is_enough_and_order_stays() {
        assert_eq!(names(&["e2e", "browser", "fmt"]), ["fmt", "browser-chromium", "browser-firefox", "e2e"]);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_suites() {
        let error = choose(&["nonsense".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("nonsense") && error.contains("browser-firefox"), "{error}");
    }

    #[test]
    fn only_a_suite_that_lacks_something_fails_and_says_why() {
        let project = Project::locate().unwrap();
        let session = Session::new(&project);
        let missing = [Missing { need: Need::Geckodriver, reason: "no geckodriver".to_owned() }];
        let run = |needs| suite("some", needs, |_| Ok(Tally::PASSED)).run(&session, &missing);
        let row = run(&[Need::Node, Need::Geckodriver]);
        assert_eq!((row.tally, row.reason.as_deref()), (Tally::FAILED, Some("no geckodriver")));
        let row = run(&[Need::Node]);
        assert_eq!((row.tally, row.reason), (Tally::PASSED, None));
    }

    #[test]
    fn every_need_of_a_suite_is_one_that_set_up_knows() {
        for suite in SUITES {
            assert!(suite.needs.iter().all(|need| Need::ALL.contains(need)), "{}", suite.name);
        }
    }
}
