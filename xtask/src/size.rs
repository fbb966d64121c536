//! What a page loads of the package, in bytes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::project::Project;
use crate::sections;

/// Compresses with Node's zlib, which is there anyway.
const SCRIPT: &str = include_str!("size.mjs");

/// Raw, `gzip -9` and `brotli -q 11` bytes.
type Sizes = [u64; 3];

/// Most bytes (brotli) that a page may have to load, of each entry of the package, its worker included. That of
/// `upload-session/worker` is all of the folder.
const BUDGETS: [(&str, &[&str], u64); 2] = [
    ("upload-session", &["index.js", "dist/upload_session.js", "dist/upload_session_bg.wasm"], 60_000),
    ("upload-session/worker", &["dist"], 62_700),
];
/// What runs on an edge runtime is loaded by no page.
const EDGE: &str = "dist/edge";

/// Prints the sizes of everything that a page loads of the built package, and what the module is made of.
///
/// # Errors
///
/// Where there is nothing, it cannot be read, or it is over the budget.
pub(crate) fn print(project: &Project) -> Result<()> {
    let mut over = Vec::new();
    for (entry, places, budget) in BUDGETS {
        let rows = rows(project, places)?;
        let total: u64 = rows.iter().map(|(_, [.., brotli])| brotli).sum();
        println!("{entry}, brotli at most {budget}:\n{}", table(&rows));
        if total > budget {
            over.push(format!("{entry} has {total} bytes, {} more than its budget", total - budget));
        }
    }
    println!("the module's bytes by crate and section, raw:");
    for (section, size) in sections::of(&project.root.join(sections::NAMED))? {
        println!("{section:<24}{size:>8}");
    }
    if over.is_empty() { Ok(()) } else { bail!("{}", over.join("; ")) }
}

/// Measures scripts and modules at these places of the package.
fn rows(project: &Project, places: &[&str]) -> Result<Vec<(String, Sizes)>> {
    let package = project.root.join("pkg");
    let mut files = Vec::new();
    for place in places.iter().map(|place| package.join(place)) {
        files.extend(if place.is_dir() { loaded_files(&place)? } else { vec![place] });
    }
    files.retain(|file| !file.starts_with(package.join(EDGE)));
    if !files.iter().any(|file| has_extension(file, &["wasm"])) {
        bail!("pkg/dist has no module: cargo xtask build makes it");
    }
    let names = files.iter().map(|file| file.strip_prefix(&package).unwrap_or(file).to_string_lossy().into_owned());
    Ok(names.zip(measure(project, &files)?).collect())
}

/// Lists scripts and modules in a folder and those below, in order.
fn loaded_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("missing: {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(loaded_files(&path)?);
        } else if has_extension(&path, &["js", "mjs", "wasm"]) {
            files.push(path);
        }
    }
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|found| found.to_str()).is_some_and(|found| extensions.contains(&found))
}

fn measure(project: &Project, files: &[PathBuf]) -> Result<Vec<Sizes>> {
    let mut node = project.command("node");
    node.args(["--input-type=module", "--eval", SCRIPT, "--"]).args(files);
    let printed = process::capture(&mut node).context("Node cannot compress the files")?;
    let sizes = printed.lines().map(parse).collect::<Option<Vec<_>>>();
    sizes.filter(|sizes| sizes.len() == files.len()).context("Node printed no sizes")
}

fn parse(line: &str) -> Option<Sizes> {
    let numbers = line.split(' ').map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>()?;
    numbers.try_into().ok()
}

fn table(rows: &[(String, Sizes)]) -> String {
    let mut total = [0; 3];
    // Names of snippets are long.
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max("bytes".len());
    let mut text = format!("{:<width$}{:>10}{:>10}{:>10}\n", "bytes", "raw", "gzip", "brotli");
    let mut line = |name: &str, [raw, gzip, brotli]: Sizes| {
        text.push_str(&format!("{name:<width$}{raw:>10}{gzip:>10}{brotli:>10}\n"));
    };
    for (name, sizes) in rows {
        line(name, *sizes);
        total.iter_mut().zip(sizes).for_each(|(sum, size)| *sum += size);
    }
    line("total", total);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_three_numbers_a_line() {
        assert_eq!(parse("3 2 1"), Some([3, 2, 1]));
        assert_eq!(parse("3 2"), None);
        assert_eq!(parse("3 2 x"), None);
    }

    #[test]
    fn the_last_line_is_the_total() {
        let text = table(&[("a".to_owned(), [30, 20, 10]), ("b".to_owned(), [3, 2, 1])]);
        let last = text.lines().last().unwrap();
        assert_eq!(last.split_whitespace().collect::<Vec<_>>(), ["total", "33", "22", "11"]);
    }

    #[test]
    fn the_columns_stand_below_each_other_however_long_a_name_is() {
        let text = table(&[("a".repeat(90), [30, 20, 10]), ("b".to_owned(), [3, 2, 1])]);
        assert!(text.lines().all(|line| line.len() == 120), "{text}");
    }

    #[test]
    fn pages_load_scripts_and_modules_only() {
        assert!(has_extension(Path::new("a.js"), &["js", "wasm"]));
        assert!(!has_extension(Path::new("a.d.ts"), &["js", "wasm"]));
        assert!(!has_extension(Path::new("js"), &["js", "wasm"]));
    }
}
