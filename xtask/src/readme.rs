//! The README of the package, made of the root's: what it points to by a path lies in the repository alone.

/// Leaves out pictures and makes plain words of links to other files, but for those that the package has.
pub(crate) fn of_package(readme: &str) -> String {
    let lines = readme.lines().filter(|line| !line.starts_with("!["));
    let mut text = String::with_capacity(readme.len());
    for line in lines {
        // What surrounded a picture is one empty line, too.
        if line.is_empty() && text.ends_with("\n\n") {
            continue;
        }
        text.push_str(&without_paths(line));
        text.push('\n');
    }
    text
}

/// Files that both have, by the path in each.
const COMMON: &[(&str, &str)] = &[
    ("pkg/index.d.ts", "index.d.ts"),
    ("pkg/worker.d.ts", "worker.d.ts"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
];

fn without_paths(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, label, target, after)) = next_link(rest) {
        text.push_str(before);
        let common = COMMON.iter().find(|(here, _)| *here == target).map(|(_, there)| *there);
        let is_address = target.starts_with('#') || target.contains("://");
        match common.or(is_address.then_some(target)) {
            Some(target) => text.push_str(&format!("[{label}]({target})")),
            None => text.push_str(label),
        }
        rest = after;
    }
    text + rest
}

/// Splits at the first `[label](target)`.
fn next_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, target) = text.split_once("](")?;
    let (before, label) = before.rsplit_once('[')?;
    let (target, after) = target.split_once(')')?;
    Some((before, label, target, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_paths_of_the_repository_are_left_out() {
        let readme =
            "# A\n\n![A plot](bench/plot.svg)\n\nSee [the edge](docs/edge.md), [below](#b) or [MIT](LICENSE-MIT).\n";
        assert_eq!(of_package(readme), "# A\n\nSee the edge, [below](#b) or [MIT](LICENSE-MIT).\n");
    }

    #[test]
    fn addresses_stay_and_so_do_files_of_the_package_by_their_own_path() {
        let line = "[`pkg/index.d.ts`](pkg/index.d.ts) of [Node](https://nodejs.org), a[0](b) and [x]";
        assert_eq!(without_paths(line), "[`pkg/index.d.ts`](index.d.ts) of [Node](https://nodejs.org), a0 and [x]");
    }
}
