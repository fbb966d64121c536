//! Holds `tests/README.md` to what it says: every test that it names exists.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// Returns everything under a folder that is Rust or JavaScript of ours, as one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "js") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn tests_named_for_each_behaviour_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut code = String::new();
    ["crates", "src", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut code));
    // A title stands behind its function, or on a line of its own below it.
    let is_title =
        |line: &&str| ["test(", "attack(", "\"", "`"].iter().any(|start| line.trim_start().starts_with(start));
    let titles: Vec<_> = code.lines().filter(is_title).collect();
    let table = fs::read_to_string(root.join("tests/README.md")).unwrap();
    let rows: Vec<_> = table.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once(" | ")).collect();
    let named = rows.iter().flat_map(|(_, tests)| tests.split(", ")).filter(|name| *name != "tests");
    let mut missing = Vec::new();
    let mut found = 0;
    for name in named {
        let exists = match name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            Some(function) => code.contains(&format!("fn {function}(")),
            None => titles.iter().any(|title| title.contains(name.trim_matches('*'))),
        };
        if exists { found += 1 } else { missing.push(name) }
    }
    assert!(missing.is_empty(), "tests/README.md names what there is not: {missing:#?}");
    assert!(found > 100, "the table was not read: {found}");
}
