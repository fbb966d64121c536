//! The test command: every suite there is, in one table.

use std::cell::OnceCell;
use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};

use crate::emulator::{self, Emulator};
use crate::process::{self, Output};
use crate::project::Project;
use crate::report::{Report, Row, Tally};
use crate::runners::Runner;
use crate::setup::{self, Need, ROOT_PACKAGES};
use crate::{module, size, step};

struct Suite {
    name: &'static str,
    needs: &'static [Need],
    run: fn(&Session<'_>) -> Result<Tally>,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        needs: &[Need::Lints],
        run: fmt,
    },
    Suite {
        name: "clippy",
        needs: &[Need::Lints, Need::WasmTarget],
        run: clippy,
    },
    Suite {
        name: "rustdoc",
        needs: &[Need::WasmTarget],
        run: rustdoc,
    },
    Suite {
        name: "engine",
        needs: &[],
        run: |session| session.cargo_test("upload-session-engine"),
    },
    Suite {
        name: "emulator",
        needs: &[],
        run: |session| session.cargo_test("upload-emulator"),
    },
    Suite {
        name: "xtask",
        needs: &[],
        run: |session| session.cargo_test("xtask"),
    },
    Suite {
        name: "build",
        needs: module::NEEDS,
        run: build,
    },
    Suite {
        name: "size",
        needs: module::NEEDS,
        run: measure,
    },
    Suite {
        name: "browser-chromium",
        needs: IN_BROWSERS,
        run: |session| session.in_browser(Browser::Chromium),
    },
    Suite {
        name: "browser-firefox",
        needs: IN_BROWSERS,
        run: |session| session.in_browser(Browser::Firefox),
    },
    Suite {
        name: "types",
        needs: &[Need::Node, Need::Packages("tests/types")],
        run: types,
    },
    Suite {
        name: "contract",
        needs: &[Need::Node, Need::Packages("tests/contract")],
        run: contract,
    },
    Suite {
        name: "e2e",
        needs: END_TO_END,
        run: end_to_end,
    },
];

const IN_BROWSERS: &[Need] = &[
    Need::WasmTarget,
    Need::Browsers,
    Need::WasmTools,
    Need::Geckodriver,
];

const END_TO_END: &[Need] = &[
    Need::Node,
    Need::WasmTarget,
    Need::Browsers,
    ROOT_PACKAGES,
    Need::Packages("tests/e2e"),
    Need::WasmTools,
    Need::Geckodriver,
];

/// Port of the emulator for browser tests where it is free. It is compiled into them, and into
/// what `.cargo/config.toml` says for cargo alone; another one means compiling them again.
const BROWSER_TEST_PORT: u16 = 8791;
/// Longest time in seconds that one file of browser tests may take.
const BROWSER_TEST_TIMEOUT: &str = "300";
/// Longest time in seconds that a driver may take to start on a busy machine.
const DRIVER_TIMEOUT: &str = "60";
/// Size of the large file of the end-to-end tests unless the environment says otherwise.
const E2E_SIZE_MIB: &str = "200";

/// Installs what the chosen suites need, runs them all, and prints the report.
///
/// # Errors
///
/// Where a name is of no suite, or something cannot be installed.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<ExitCode> {
    let chosen = choose(names)?;
    let needs: Vec<Need> = chosen
        .iter()
        .flat_map(|suite| suite.needs)
        .copied()
        .collect();
    setup::provide(project, &needs)?;
    let session = Session {
        project,
        module: OnceCell::new(),
        emulator: OnceCell::new(),
    };
    let mut report = Report::default();
    for suite in chosen {
        report.rows.push(session.run(suite));
    }
    println!("\n{report}");
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Takes the suites whose names are, or begin with, one of those given; all where none is.
fn choose(names: &[String]) -> Result<Vec<&'static Suite>> {
    for name in names {
        if !SUITES
            .iter()
            .any(|suite| suite.name.starts_with(name.as_str()))
        {
            let all: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
            bail!("no suite is called {name}; there are {}", all.join(", "));
        }
    }
    let wanted = |suite: &&Suite| {
        names.is_empty()
            || names
                .iter()
                .any(|name| suite.name.starts_with(name.as_str()))
    };
    Ok(SUITES.iter().filter(wanted).collect())
}

#[derive(Clone, Copy)]
enum Browser {
    Chromium,
    Firefox,
}

/// One run of the test command: what is built once for all suites.
struct Session<'a> {
    project: &'a Project,
    module: OnceCell<Result<(), String>>,
    emulator: OnceCell<Result<PathBuf, String>>,
}

impl Session<'_> {
    fn run(&self, suite: &Suite) -> Row {
        println!();
        step(format_args!("suite {}", suite.name));
        let started = Instant::now();
        let result = (suite.run)(self);
        let time = started.elapsed();
        let (tally, reason) = match result {
            Ok(tally) => (tally, None),
            Err(error) => (Tally::FAILED, Some(format!("{error:#}"))),
        };
        if let Some(reason) = &reason {
            println!("error: {reason}");
        }
        step(format_args!(
            "suite {}: {tally}, {:.1} s",
            suite.name,
            time.as_secs_f64()
        ));
        Row {
            suite: suite.name,
            tally,
            time,
            reason,
        }
    }

    fn module(&self) -> Result<()> {
        let built = self
            .module
            .get_or_init(|| module::build(self.project).map_err(|error| format!("{error:#}")));
        built.clone().map_err(|error| anyhow!(error))
    }

    fn emulator(&self) -> Result<PathBuf> {
        let built = self
            .emulator
            .get_or_init(|| emulator::build(self.project).map_err(|error| format!("{error:#}")));
        built.clone().map_err(|error| anyhow!(error))
    }

    fn cargo_test(&self, package: &str) -> Result<Tally> {
        let mut cargo = self
            .project
            .cargo(["test", "--no-fail-fast", "--package", package]);
        judge(Runner::Cargo, &process::run_and_keep(&mut cargo)?)
    }

    fn in_browser(&self, browser: Browser) -> Result<Tally> {
        let Self { project, .. } = self;
        let browsers = setup::locate_browsers(project)?;
        let emulator = Emulator::start_for_test(project, &self.emulator()?, BROWSER_TEST_PORT)?;
        let mut wasm_pack = project.command("wasm-pack");
        wasm_pack.args(["test", "--mode", "no-install", "--headless"]);
        match browser {
            Browser::Chromium => wasm_pack
                .arg("--chrome")
                .arg("--chromedriver")
                .arg(browsers.chromedriver),
            Browser::Firefox => wasm_pack
                .arg("--firefox")
                .arg("--geckodriver")
                .arg(browsers.geckodriver),
        };
        // Documentation tests would want to run in a browser, too, and cannot.
        wasm_pack.args([".", "--", "--lib", "--tests", "--no-fail-fast"]);
        wasm_pack.env("UPLOAD_EMULATOR_URL", &emulator.url);
        wasm_pack.env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TEST_TIMEOUT);
        wasm_pack.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", DRIVER_TIMEOUT);
        judge(Runner::Cargo, &process::run_and_keep(&mut wasm_pack)?)
    }

    /// Prepares a command in a folder of tests.
    fn in_folder(&self, folder: &str, program: &str, arguments: &[&str]) -> Result<Command> {
        let path = self.project.root.join(folder);
        if !path.join("package.json").is_file() {
            bail!("missing: {folder}/package.json");
        }
        let mut command = self.project.command(program);
        command.args(arguments).current_dir(path);
        Ok(command)
    }

    /// Prepares Node's test runner in a folder, with the emulator at hand.
    fn node_tests(&self, folder: &str) -> Result<Command> {
        let mut node = self.in_folder(folder, "node", &["--test", "--test-reporter=spec"])?;
        node.env("UPLOAD_EMULATOR_BIN", self.emulator()?);
        Ok(node)
    }
}

fn fmt(session: &Session<'_>) -> Result<Tally> {
    check([&mut session.project.cargo(["fmt", "--all", "--check"])])
}

fn clippy(session: &Session<'_>) -> Result<Tally> {
    let strict = ["--all-targets", "--", "-D", "warnings"];
    let cargo = |what: &[&'static str]| {
        let arguments = ["clippy"]
            .into_iter()
            .chain(what.iter().copied())
            .chain(strict);
        session.project.cargo(arguments)
    };
    check([&mut cargo(&["--workspace"]), &mut cargo(MODULE)])
}

fn rustdoc(session: &Session<'_>) -> Result<Tally> {
    let cargo = |what: &[&'static str]| {
        let mut cargo = session
            .project
            .cargo(["doc", "--no-deps"].into_iter().chain(what.iter().copied()));
        cargo.env("RUSTDOCFLAGS", "-D warnings");
        cargo
    };
    check([&mut cargo(&["--workspace"]), &mut cargo(MODULE)])
}

/// The module's package as a browser gets it.
const MODULE: &[&str] = &[
    "--package=upload-session",
    "--target=wasm32-unknown-unknown",
];

fn build(session: &Session<'_>) -> Result<Tally> {
    session.module()?;
    session.emulator()?;
    Ok(Tally::PASSED)
}

fn measure(session: &Session<'_>) -> Result<Tally> {
    session.module()?;
    size::print(session.project)?;
    Ok(Tally::PASSED)
}

fn types(session: &Session<'_>) -> Result<Tally> {
    check([&mut session.in_folder("tests/types", "npm", &["test"])?])
}

fn contract(session: &Session<'_>) -> Result<Tally> {
    nothing_skipped(judge(
        Runner::Node,
        &process::run_and_keep(&mut session.node_tests("tests/contract")?)?,
    )?)
}

fn end_to_end(session: &Session<'_>) -> Result<Tally> {
    let mut node = session.node_tests("tests/e2e")?;
    session.module()?;
    let browsers = setup::locate_browsers(session.project)?;
    node.env("CHROMIUM", browsers.chromium)
        .env("CHROMEDRIVER", browsers.chromedriver);
    node.env("FIREFOX", browsers.firefox)
        .env("GECKODRIVER", browsers.geckodriver);
    if env::var_os("UPLOAD_E2E_SIZE_MIB").is_none() {
        node.env("UPLOAD_E2E_SIZE_MIB", E2E_SIZE_MIB);
    }
    nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut node)?)?)
}

/// Runs commands that together are one check, all of them.
fn check<const N: usize>(commands: [&mut Command; N]) -> Result<Tally> {
    let failures: Vec<String> = commands
        .into_iter()
        .filter_map(|command| process::run(command).err())
        .map(|error| error.to_string())
        .collect();
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(Tally::PASSED)
}

/// Counts the tests of a run. One that failed without a failed test, or ran none, has failed.
fn judge(runner: Runner, output: &Output) -> Result<Tally> {
    let tally = runner.count(&output.text).unwrap_or_default();
    if !output.status.success() && tally.failed == 0 {
        bail!("the runner failed ({}) after {tally}", output.status);
    }
    if tally.executed() == 0 {
        bail!("no test was executed");
    }
    Ok(tally)
}

/// Turns skipped tests into a failure, in suites that have all they need.
fn nothing_skipped(tally: Tally) -> Result<Tally> {
    if tally.skipped > 0 {
        bail!("{tally}: a test may not skip itself here, every tool is installed");
    }
    Ok(tally)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn names(filter: &[&str]) -> Vec<&'static str> {
        let filter: Vec<String> = filter.iter().map(|&name| name.to_owned()).collect();
        choose(&filter)
            .unwrap()
            .iter()
            .map(|suite| suite.name)
            .collect()
    }

    fn output(code: i32, text: &str) -> Output {
        Output {
            status: ExitStatus::from_raw(code << 8),
            text: text.to_owned(),
        }
    }

    const PASSED: &str = "test result: ok. 2 passed; 0 failed; 0 ignored";

    #[test]
    fn without_names_all_suites_run() {
        assert_eq!(names(&[]).len(), SUITES.len());
    }

    #[test]
    fn the_beginning_of_a_name_is_enough_and_order_stays() {
        assert_eq!(
            names(&["e2e", "browser", "fmt"]),
            ["fmt", "browser-chromium", "browser-firefox", "e2e"]
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_suites() {
        let error = choose(&["nonsense".to_owned()]).err().unwrap().to_string();
        assert!(
            error.contains("nonsense") && error.contains("browser-firefox"),
            "{error}"
        );
    }

    #[test]
    fn every_need_of_a_suite_is_one_that_set_up_knows() {
        for suite in SUITES {
            assert!(
                suite.needs.iter().all(|need| Need::ALL.contains(need)),
                "{}",
                suite.name
            );
        }
    }

    #[test]
    fn tests_that_ran_are_counted() {
        assert_eq!(judge(Runner::Cargo, &output(0, PASSED)).unwrap().passed, 2);
        let failed = output(101, "test result: FAILED. 1 passed; 1 failed; 0 ignored");
        assert_eq!(judge(Runner::Cargo, &failed).unwrap().failed, 1);
    }

    #[test]
    fn a_run_that_failed_without_a_failed_test_has_failed() {
        assert!(judge(Runner::Cargo, &output(101, "error: could not compile")).is_err());
        assert!(judge(Runner::Cargo, &output(101, PASSED)).is_err());
    }

    #[test]
    fn a_run_without_tests_has_failed() {
        let none = output(0, "test result: ok. 0 passed; 0 failed; 3 ignored");
        assert!(judge(Runner::Cargo, &none).is_err());
        assert!(judge(Runner::Node, &output(0, "")).is_err());
    }

    #[test]
    fn a_suite_with_all_its_tools_may_not_skip() {
        assert!(
            nothing_skipped(Tally {
                passed: 1,
                failed: 0,
                skipped: 1
            })
            .is_err()
        );
        assert!(nothing_skipped(Tally::PASSED).is_ok());
    }
}
