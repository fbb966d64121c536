//! What the page's module is made of: its code by crate, and its other sections, as twiggy sees them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use twiggy_parser::read_and_parse;
use twiggy_traits::ParseMode;

/// The optimised module with the names of its functions, which `slim.mjs` leaves beside cargo's own products.
pub(crate) const NAMED: &str = "target/upload_session.named.wasm";

/// Adds up the bytes of a module by crate and section, largest first.
///
/// # Errors
///
/// Where there is no such module, or it cannot be read.
pub(crate) fn of(module: &Path) -> Result<Vec<(String, u64)>> {
    let items =
        read_and_parse(module, ParseMode::Wasm).with_context(|| format!("{} cannot be read", module.display()))?;
    let mut sums = BTreeMap::new();
    // Names are left out of what is shipped, as custom sections are.
    for item in items.iter().filter(|item| !matches!(section(item.name()).as_str(), "names" | "custom sections")) {
        *sums.entry(section(item.name())).or_default() += u64::from(item.size());
    }
    let mut sums: Vec<(String, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Ok(sums)
}

/// Returns the crate of a function, and of everything else what it is.
fn section(name: &str) -> String {
    const OURS: [&str; 2] = ["upload_session_engine", "upload_session"];
    if let Some(ours) = OURS.iter().find(|ours| name.contains(&format!("{ours}::")) || name.starts_with(*ours)) {
        return (*ours).to_owned();
    }
    if name.starts_with("uploadsession") || name.starts_with("sha1Digest") || name.ends_with(" shim") {
        return "exported functions".to_owned();
    }
    for (prefix, section) in [("data segment", "data"), ("custom section", "custom sections"), ("\"", "names")] {
        if name.starts_with(prefix) {
            return section.to_owned();
        }
    }
    let path = name.trim_start_matches(['<', '&', '*', '[', '(']);
    let path = ["mut ", "dyn ", "impl "].iter().fold(path, |path, word| path.trim_start_matches(word));
    let crate_name: String = path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let is_library = ["core", "alloc", "std", "sha1", "digest", "block_buffer", "rlsf", "fastrand", "wasm_bindgen"];
    if is_library.contains(&crate_name.as_str()) { crate_name } else { "all else".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_count_for_their_crate_and_other_things_for_their_kind() {
        for (name, expected) in [
            ("upload_session_engine::upload::Upload::settle::h4153af90a81f3730", "upload_session_engine"),
            ("<impl upload_session_engine::upload::Upload>::judge", "upload_session_engine"),
            ("upload_session::driver::Driver<S>::drain::h914798e50d8e0c7d", "upload_session"),
            ("core::ops::function::FnOnce::call_once{{vtable.shim}}::h4c30e9233644138f", "core"),
            ("<alloc::string::String as core::fmt::Write>::write_char", "alloc"),
            ("uploadsession_start externref shim", "exported functions"),
            ("data segment \".rodata\"", "data"),
            ("custom section 'producers'", "custom sections"),
            ("__externref_table_alloc", "all else"),
        ] {
            assert_eq!(section(name), expected, "{name}");
        }
    }
}
