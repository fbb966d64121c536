//! The API reference, made from the package's types.

use anyhow::Result;

use crate::process;
use crate::project::Project;
use crate::setup::Need;
use crate::step;

/// What the reference is made by, and the documentation tested.
pub(crate) const FOLDER: &str = "tests/docs";

/// What making the reference takes.
pub(crate) const NEEDS: &[Need] = &[Need::Node, Need::Packages(FOLDER)];

/// Makes the reference; a warning (something without a description, a link to nothing) is an error.
///
/// # Errors
///
/// Where typedoc complains.
pub(crate) fn make(project: &Project) -> Result<()> {
    let mut npm = project.command("npm");
    npm.args(["run", "--silent", "api"]).current_dir(project.root.join(FOLDER));
    process::run(&mut npm)?;
    step(format_args!("the API reference is {}", project.root.join("docs/api/index.html").display()));
    Ok(())
}
