//! `ports lint`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};

use super::ReportForm;

/// Find ports that are written out, where the registry should be asked
///
/// L001 a port is written out: `localhost:3000`, `--port 3000`, `API_PORT=3000`, `${API_PORT:-3000}`, `port = 3000;`,
/// `3000:80` of a container. A comment `# Port from lib/ports.nix: development.api = 3000` above it makes it one that
/// is checked: L002 the registry has no such port, L003 it has another number, L004 the lines below do not have it.
/// `# ports:allow reason`, there or on the line above, excuses a number; `allow = […]` in ports.toml excuses numbers
/// and files. Nothing is read of files that are binary, larger than 1 MiB or written by package managers.
///
/// Examples:
///   ports lint
///   ports lint --staged
///   ports lint --fix-annotations process-compose.yaml
///   ports lint --all --format github
///
/// Exit codes: 0 nothing is wrong; 1 there are findings; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment, group = ArgGroup::new("selection"))]
pub(crate) struct LintArgs {
    /// The files, as they are on disk
    #[arg(value_name = "FILE", group = "selection")]
    pub(crate) paths: Vec<PathBuf>,

    /// What the next commit changes, as the index holds it
    #[arg(long, group = "selection", conflicts_with = "fix_annotations")]
    pub(crate) staged: bool,

    /// Every file that git knows; what is looked at when nothing is said
    #[arg(long, group = "selection")]
    pub(crate) all: bool,

    /// Write the registry's number into annotations and the lines below them
    #[arg(long)]
    pub(crate) fix_annotations: bool,

    /// Ports of other machines in URLs, too
    #[arg(long)]
    pub(crate) remote: bool,

    /// The form of the findings
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(crate) format: ReportForm,
}
