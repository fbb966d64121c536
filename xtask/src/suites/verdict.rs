//! Whether a run passed.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, Output};
use crate::report::Tally;
use crate::runners::Runner;

/// Runs commands that together are one check, all of them.
pub(super) fn check<const N: usize>(commands: [&mut Command; N]) -> Result<Tally> {
    let failures: Vec<String> =
        commands.into_iter().filter_map(|command| process::run(command).err()).map(|error| error.to_string()).collect();
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(Tally::PASSED)
}

/// Counts the tests of a run. One that failed without a failed test, or ran none, has failed.
pub(super) fn judge(runner: Runner, output: &Output) -> Result<Tally> {
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
pub(super) fn nothing_skipped(tally: Tally) -> Result<Tally> {
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

    fn output(code: i32, text: &str) -> Output {
        Output { status: ExitStatus::from_raw(code << 8), text: text.to_owned() }
    }

    const PASSED: &str = "test result: ok. 2 passed; 0 failed; 0 ignored";

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
        assert!(nothing_skipped(Tally { passed: 1, failed: 0, skipped: 1 }).is_err());
        assert!(nothing_skipped(Tally::PASSED).is_ok());
    }
}
