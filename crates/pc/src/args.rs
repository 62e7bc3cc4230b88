//! What was typed.

use clap::{Args as ClapArgs, Parser, Subcommand};
use cli::{Common, CommonArgs};

use crate::config::args::ProjectArgs;

/// Run the processes of a process-compose.yaml
///
/// The files are `-f`, else `PC_CONFIG_FILES`, else the first of compose.yml, compose.yaml,
/// process-compose.yml and process-compose.yaml in this folder, with an override file beside it.
/// Started as `process-compose` it takes that program's place; there, no verb means `up`.
///
/// Examples:
///   pc check
///
/// Exit codes: 0 done; 1 mistakes were found, or a project does not load; 2 usage.
#[derive(Debug, Parser)]
#[command(
    name = "pc",
    version,
    verbatim_doc_comment,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Check(CheckArgs),
}

/// Find every mistake in the files of a project
///
/// Each is told on a line of its own, its place first, and what to write instead. Nothing is started.
///
/// Examples:
///   pc check
///   pc check -f process-compose.yaml -f ci.yaml
///
/// Exit codes: 0 nothing is wrong; 1 there are mistakes; 2 the files cannot be read.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}
