//! Which project: the flags that every verb with a project has.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::spelling::boolean;

/// Which files make the project.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Project")]
pub(crate) struct ProjectArgs {
    /// A file of the project; several are merged from left to right [env: `PC_CONFIG_FILES`]
    #[arg(short = 'f', long = "config", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A file with variables; later ones win [default: .env, if there is one]
    #[arg(short = 'e', long = "env", value_name = "FILE")]
    pub(crate) env: Vec<PathBuf>,

    /// Read no .env [env: `PC_DISABLE_DOTENV`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) disable_dotenv: Option<bool>,

    /// Only processes in this namespace; again for more [env: `PC_NAMESPACES`]
    #[arg(short = 'n', long = "namespace", value_name = "NAME")]
    pub(crate) namespaces: Vec<String>,

    /// The port registry [env: `PORTS_FILE`; default: lib/ports.nix and its like, upward]
    #[arg(long, value_name = "FILE")]
    pub(crate) ports_file: Option<PathBuf>,

    /// Add N to the ports that move [env: `PORTS_OFFSET`; default: the slot of this worktree]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) offset: Option<i32>,
}
