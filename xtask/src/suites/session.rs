//! What the suites do.

use std::cell::OnceCell;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::emulator;
use crate::process;
use crate::project::Project;
use crate::report::Tally;
use crate::runners::Runner;
use crate::{docs, module, setup, size};

use super::verdict::{check, judge, nothing_skipped};

/// Port of the emulator for browser tests where it is free. It is compiled into them, and into
/// what `.cargo/config.toml` says for cargo alone; another one means compiling them again.
const BROWSER_TEST_PORT: u16 = 8791;
/// Longest time in seconds that one file of browser tests may take.
const BROWSER_TEST_TIMEOUT: &str = "300";
/// Longest time in seconds that a driver may take to start on a busy machine.
const DRIVER_TIMEOUT: &str = "60";
/// Size of the large file of the end-to-end tests unless the environment says otherwise.
const E2E_SIZE_MIB: &str = "200";

/// The module's package as a browser gets it.
const MODULE: &[&str] = &["--package=upload-session", "--target=wasm32-unknown-unknown"];

/// What of the edge's package is compiled for WebAssembly alone.
const EDGE: &[&str] = &["--package=upload-session-edge", "--target=wasm32-unknown-unknown"];

/// A browser that the module is tested in.
#[derive(Clone, Copy)]
pub(super) enum Browser {
    Chromium,
    Firefox,
}

/// One run of the test command: what is built once for all suites.
pub(super) struct Session<'a> {
    project: &'a Project,
    module: OnceCell<Result<(), String>>,
    emulator: OnceCell<Result<PathBuf, String>>,
}

impl<'a> Session<'a> {
    /// Starts with nothing built.
    pub(super) fn new(project: &'a Project) -> Self {
        let (module, emulator) = (OnceCell::new(), OnceCell::new());
        Self { project, module, emulator }
    }

    fn module(&self) -> Result<()> {
        let built = self.module.get_or_init(|| module::build(self.project).map_err(|error| format!("{error:#}")));
        built.clone().map_err(|error| anyhow!(error))
    }

    fn emulator(&self) -> Result<PathBuf> {
        let built = self.emulator.get_or_init(|| emulator::build(self.project).map_err(|error| format!("{error:#}")));
        built.clone().map_err(|error| anyhow!(error))
    }

    /// Runs the tests of a package on this machine.
    pub(super) fn cargo_test(&self, package: &[&'static str]) -> Result<Tally> {
        let mut cargo = self.project.cargo(["test", "--no-fail-fast"].iter().chain(package).copied());
        nothing_skipped(judge(Runner::Cargo, &process::run_and_keep(&mut cargo)?)?)
    }

    /// Runs the module's own tests in a browser, against an emulator.
    pub(super) fn in_browser(&self, browser: Browser) -> Result<Tally> {
        let Self { project, .. } = self;
        let browsers = setup::locate_browsers(project)?;
        let emulator = emulator::start_for_test(project, &self.emulator()?, BROWSER_TEST_PORT)?;
        let mut wasm_pack = project.command("wasm-pack");
        wasm_pack.args(["test", "--mode", "no-install", "--headless"]);
        match browser {
            Browser::Chromium => wasm_pack.arg("--chrome").arg("--chromedriver").arg(browsers.chromedriver),
            Browser::Firefox => wasm_pack.arg("--firefox").arg("--geckodriver").arg(browsers.geckodriver),
        };
        // Without documentation tests, which cannot run there. wasm-pack hands this to `cargo build
        // --tests` as well, so it can be neither `--tests` nor `--no-fail-fast`.
        wasm_pack.args([".", "--lib", "--test", "*"]);
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

    pub(super) fn fmt(&self) -> Result<Tally> {
        check([&mut self.project.cargo(["fmt", "--all", "--check"])])
    }

    pub(super) fn clippy(&self) -> Result<Tally> {
        let cargo = |what: &[&'static str], targets| {
            let arguments = ["clippy"].into_iter().chain(what.iter().copied());
            self.project.cargo(arguments.chain([targets, "--", "-D", "warnings"]))
        };
        // The edge's tests are native, and so is what they depend on.
        check([
            &mut cargo(&["--workspace"], "--all-targets"),
            &mut cargo(MODULE, "--all-targets"),
            &mut cargo(EDGE, "--lib"),
        ])
    }

    pub(super) fn rustdoc(&self) -> Result<Tally> {
        let cargo = |what: &[&'static str]| {
            let mut cargo = self.project.cargo(["doc", "--no-deps"].into_iter().chain(what.iter().copied()));
            cargo.env("RUSTDOCFLAGS", "-D warnings");
            cargo
        };
        check([&mut cargo(&["--workspace"]), &mut cargo(MODULE), &mut cargo(EDGE)])
    }

    pub(super) fn build(&self) -> Result<Tally> {
        self.module()?;
        self.emulator()?;
        Ok(Tally::PASSED)
    }

    pub(super) fn size(&self) -> Result<Tally> {
        self.module()?;
        size::print(self.project)?;
        Ok(Tally::PASSED)
    }

    pub(super) fn types(&self) -> Result<Tally> {
        // The compiler counts nothing: that it has no complaint is one check.
        check([&mut self.in_folder("tests/types", "npm", &["test"])?])
    }

    /// Compiles the documentation's examples, follows its links, and makes the API reference.
    pub(super) fn docs(&self) -> Result<Tally> {
        let mut node = self.in_folder(docs::FOLDER, "node", &["--test", "--test-reporter=spec"])?;
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut node)?)?)
    }

    pub(super) fn contract(&self) -> Result<Tally> {
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut self.node_tests("tests/contract")?)?)?)
    }

    pub(super) fn bench(&self) -> Result<Tally> {
        let mut node = self.in_folder("bench", "npm", &["test"])?;
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut node)?)?)
    }

    /// Runs the proxy, ingest and the example worker in workerd and Node.
    pub(super) fn edge(&self) -> Result<Tally> {
        self.module()?;
        let mut node = self.node_tests("tests/edge")?;
        node.arg("--test-concurrency=2");
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut node)?)?)
    }

    /// Installs the package from its tarball and uses it in every way it promises.
    pub(super) fn package(&self) -> Result<Tally> {
        self.module()?;
        // It packs and installs, then tests.
        let mut npm = self.in_folder("tests/package", "npm", &["test"])?;
        npm.env("UPLOAD_EMULATOR_BIN", self.emulator()?);
        self.name_browsers(&mut npm)?;
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut npm)?)?)
    }

    fn name_browsers(&self, tests: &mut Command) -> Result<()> {
        let browsers = setup::locate_browsers(self.project)?;
        tests.env("CHROMIUM", browsers.chromium).env("CHROMEDRIVER", browsers.chromedriver);
        tests.env("FIREFOX", browsers.firefox).env("GECKODRIVER", browsers.geckodriver);
        Ok(())
    }

    pub(super) fn end_to_end(&self) -> Result<Tally> {
        let mut node = self.node_tests("tests/e2e")?;
        // Much of it is waiting for paced links: two files at a time even where node would run one.
        node.arg("--test-concurrency=2");
        self.module()?;
        self.name_browsers(&mut node)?;
        if env::var_os("UPLOAD_E2E_SIZE_MIB").is_none() {
            node.env("UPLOAD_E2E_SIZE_MIB", E2E_SIZE_MIB);
        }
        nothing_skipped(judge(Runner::Node, &process::run_and_keep(&mut node)?)?)
    }
}
