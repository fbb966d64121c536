//! Installs what the commands need. Each need is looked at first, so a second run is quick.

mod browsers;
mod cargo_tools;
mod node;
mod rust;

use std::time::Instant;

use anyhow::Result;

use crate::docs;
use crate::project::Project;
use crate::step;

pub(crate) use browsers::locate as locate_browsers;

/// The root's packages: wasm-opt.
pub(crate) const ROOT_PACKAGES: Need = Need::Packages(".");

/// Something that has to be on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Node and npm, new enough.
    Node,
    /// The standard library for `wasm32-unknown-unknown`.
    WasmTarget,
    /// Clippy and rustfmt.
    Lints,
    /// Chromium and Firefox, and Chromium's driver.
    Browsers,
    /// npm packages of the folder, relative to the root.
    Packages(&'static str),
    /// wasm-pack, and wasm-bindgen at the version of Cargo.lock.
    WasmTools,
    /// Firefox's driver.
    Geckodriver,
}

impl Need {
    /// Everything, in the order it is provided: what can fail at once comes first, what is
    /// compiled comes last.
    pub(crate) const ALL: &[Self] = &[
        Self::Node,
        Self::WasmTarget,
        Self::Lints,
        Self::Browsers,
        ROOT_PACKAGES,
        Self::Packages("tests/types"),
        Self::Packages(docs::FOLDER),
        Self::Packages("tests/contract"),
        Self::Packages("edge"),
        Self::Packages("tests/edge"),
        Self::Packages("tests/e2e"),
        Self::Packages("tests/package"),
        Self::Packages("bench"),
        Self::WasmTools,
        Self::Geckodriver,
    ];

    fn provide(self, project: &Project) -> Result<()> {
        match self {
            Self::Node => node::check(project),
            Self::WasmTarget => rust::wasm_target(project),
            Self::Lints => rust::lints(project),
            Self::Browsers => browsers::provide(project),
            Self::Packages(folder) => node::packages(project, folder),
            Self::WasmTools => cargo_tools::wasm(project),
            Self::Geckodriver => cargo_tools::geckodriver(project),
        }
    }
}

/// Installs those of the needs that are not there yet.
///
/// # Errors
///
/// Where something cannot be installed; the error says what to do.
pub(crate) fn provide(project: &Project, needs: &[Need]) -> Result<()> {
    let started = Instant::now();
    for need in in_order(needs) {
        need.provide(project)?;
    }
    cargo_tools::clean(project)?;
    step(format_args!("tools are in place ({:.1} s)", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Something that cannot be installed.
pub(crate) struct Missing {
    pub(crate) need: Need,
    /// Why, and what to do.
    pub(crate) reason: String,
}

/// Installs as many of the needs as can be; returns the others.
///
/// # Errors
///
/// Where what was left from building tools cannot be removed.
pub(crate) fn provide_as_far_as_possible(project: &Project, needs: &[Need]) -> Result<Vec<Missing>> {
    let started = Instant::now();
    let provide = |need: Need| {
        let reason = format!("{:#}", need.provide(project).err()?);
        println!("error: {reason}");
        Some(Missing { need, reason })
    };
    let missing: Vec<_> = in_order(needs).filter_map(provide).collect();
    cargo_tools::clean(project)?;
    let what = if missing.is_empty() { "tools are in place" } else { "not all tools are in place" };
    step(format_args!("{what} ({:.1} s)", started.elapsed().as_secs_f64()));
    Ok(missing)
}

fn in_order(needs: &[Need]) -> impl Iterator<Item = Need> {
    Need::ALL.iter().copied().filter(|need| needs.contains(need))
}
