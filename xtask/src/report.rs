//! Counts of tests, and the table at the end.

use std::fmt::{self, Write};
use std::ops::AddAssign;
use std::time::Duration;

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check that passed.
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    /// One check that failed.
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// How many were run.
    pub(crate) fn executed(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// What became of one suite.
pub(crate) struct Row {
    pub(crate) suite: &'static str,
    pub(crate) tally: Tally,
    pub(crate) time: Duration,
    /// Why it failed, where the counts alone do not tell.
    pub(crate) reason: Option<String>,
}

/// All suites that ran.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Sums up all suites.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.rows.iter().for_each(|row| total += row.tally);
        total
    }

    /// Whether nothing failed.
    pub(crate) fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.tally.failed == 0 && row.reason.is_none())
    }
}

impl fmt::Display for Report {
    /// Writes the table, the reasons of failures, and as the last line the totals alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = String::new();
        writeln!(lines, "{:<18}{:>8}{:>8}{:>9}{:>9}", "suite", "passed", "failed", "skipped", "seconds")?;
        for Row { suite, tally, time, .. } in &self.rows {
            let Tally { passed, failed, skipped } = tally;
            let seconds = time.as_secs_f64();
            writeln!(lines, "{suite:<18}{passed:>8}{failed:>8}{skipped:>9}{seconds:>9.1}")?;
        }
        for Row { suite, reason, .. } in &self.rows {
            if let Some(reason) = reason {
                writeln!(lines, "\n{suite}: {reason}")?;
            }
        }
        write!(f, "{lines}\n{}", self.total())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(suite: &'static str, tally: Tally, reason: Option<&str>) -> Row {
        Row { suite, tally, time: Duration::from_millis(1500), reason: reason.map(str::to_owned) }
    }

    #[test]
    fn the_last_line_is_the_totals_alone() {
        let report = Report { rows: vec![row("a", Tally::PASSED, None), row("b", Tally::FAILED, Some("missing: b"))] };
        let text = report.to_string();
        assert_eq!(text.lines().last().unwrap(), "1 passed, 1 failed");
        assert!(text.contains("\nb: missing: b\n"), "{text}");
        assert!(text.contains("\na                        1       0        0      1.5\n"), "{text}");
    }

    #[test]
    fn skipped_tests_are_told_where_there_are_any() {
        let tally = Tally { passed: 2, failed: 0, skipped: 3 };
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 3 skipped");
    }

    #[test]
    fn one_failure_fails_all() {
        assert!(Report { rows: vec![row("a", Tally::PASSED, None)] }.passed());
        assert!(!Report { rows: vec![row("a", Tally::PASSED, None), row("b", Tally::FAILED, None)] }.passed());
        assert!(!Report { rows: vec![row("a", Tally::PASSED, Some("skipped"))] }.passed());
    }
}
