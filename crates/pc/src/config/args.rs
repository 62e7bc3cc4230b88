//! Which project: the flags that every verb with a project has.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Which files make the project.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Project")]
pub(crate) struct ProjectArgs {
    /// A file of the project; several are merged from left to right [env: `PC_CONFIG_FILES`]
    #[arg(short = 'f', long = "config", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}
