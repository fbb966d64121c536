//! Reads how many tests ran from what test runners print.

use crate::report::Tally;

/// Whose output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo test` and wasm-bindgen's runner: a line `test result: …` for each program.
    Cargo,
    /// `node --test`, reporter `spec` or `tap`: one block of lines `ℹ pass 3` or `# pass 3`.
    Node,
}

impl Runner {
    /// Counts the tests of a run; none where the output has no summary.
    pub(crate) fn count(self, output: &str) -> Option<Tally> {
        let output = without_escapes(output);
        match self {
            Self::Cargo => cargo(&output),
            Self::Node => node(&output),
        }
    }
}

fn cargo(output: &str) -> Option<Tally> {
    let mut total = None;
    for line in output.lines() {
        let Some((_, counts)) = line.split_once("test result: ") else {
            continue;
        };
        let tally = total.get_or_insert_with(Tally::default);
        // `ok. 3 passed; 0 failed; 1 ignored; …`
        for part in counts.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => tally.passed += number,
                "failed" => tally.failed += number,
                "ignored" => tally.skipped += number,
                _ => {}
            }
        }
    }
    total
}

fn node(output: &str) -> Option<Tally> {
    // A test may print such lines, too; the runner's own are the last.
    let last = |what: &str| -> Option<u64> {
        output.lines().rev().find_map(|line| {
            let line = line.trim().strip_prefix(['#', 'ℹ'])?;
            line.trim().strip_prefix(what)?.strip_prefix(' ')?.trim().parse().ok()
        })
    };
    Some(Tally {
        passed: last("pass")?,
        failed: last("fail")? + last("cancelled").unwrap_or(0),
        skipped: last("skipped").unwrap_or(0) + last("todo").unwrap_or(0),
    })
}

/// Takes colours out: every `ESC [ … letter`.
fn without_escapes(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic()).map_or(piece.len(), |at| at + 1);
        plain.push_str(&piece[end..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn sums_up_all_programs_of_cargo_test() {
        let output = "
     Running unittests src/lib.rs (target/debug/deps/a-1)
running 4 tests
test a ... ok
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.10s

   Doc-tests upload_session_engine
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(Runner::Cargo.count(output), tally(5, 1, 1));
    }

    #[test]
    fn cargo_without_a_summary_has_no_count() {
        assert_eq!(Runner::Cargo.count("error[E0425]: cannot find value"), None);
        assert_eq!(Runner::Cargo.count("no tests to run!"), None);
    }

    #[test]
    fn reads_nodes_spec_reporter() {
        let output = "✔ creates (3ms)\nℹ tests 6\nℹ suites 1\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\n\
                      ℹ skipped 1\nℹ todo 1\nℹ duration_ms 40.5\n";
        assert_eq!(Runner::Node.count(output), tally(2, 2, 2));
    }

    #[test]
    fn reads_nodes_tap_reporter() {
        let output = "TAP version 13\nok 1 - a\n1..1\n# tests 1\n# suites 0\n# pass 1\n# fail 0\n\
                      # cancelled 0\n# skipped 0\n# todo 0\n# duration_ms 46\n";
        assert_eq!(Runner::Node.count(output), tally(1, 0, 0));
    }

    #[test]
    fn what_a_node_test_prints_does_not_count() {
        let output = "# pass 9\n# fail 9\n# passing 7\nℹ pass 1\nℹ fail 0\n";
        assert_eq!(Runner::Node.count(output), tally(1, 0, 0));
    }

    #[test]
    fn node_without_a_summary_has_no_count() {
        assert_eq!(Runner::Node.count("Could not find 'tests'"), None);
    }

    #[test]
    fn colours_do_not_matter() {
        let output = "\u{1b}[34mℹ pass 4\u{1b}[39m\n\u{1b}[34mℹ fail 0\u{1b}[39m\n";
        assert_eq!(Runner::Node.count(output), tally(4, 0, 0));
        let output = "test result: \u{1b}[32mok\u{1b}[m. 5 passed; 0 failed; 0 ignored\n";
        assert_eq!(Runner::Cargo.count(output), tally(5, 0, 0));
    }
}
