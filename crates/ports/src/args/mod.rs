//! What was typed.

mod check;
mod edit;
mod export;
mod lint;
mod live;
mod look_up;
mod offset;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs, CompletionsArgs, ManArgs};
use portreg::PortPath;

pub(crate) use self::check::{CheckArgs, Expect, ReportForm};
pub(crate) use self::edit::{AddArgs, Choice, RmArgs, SetArgs};
pub(crate) use self::export::{ExportArgs, Format};
pub(crate) use self::lint::LintArgs;
pub(crate) use self::live::{NextArgs, PickRule, Target, WhoArgs};
pub(crate) use self::look_up::{GetArgs, ListArgs, NameArgs, Sort};
pub(crate) use self::offset::{EnvArgs, OffsetArgs, OffsetBy};

/// Look up, check, allocate and export the ports of one registry
///
/// The registry is `--file`, else `PORTS_FILE`, else the first `lib/ports.nix`, `nix/ports.nix`,
/// `ports.nix`, `modules/ports.nix`, `lib/config/ports.nix` or `config/ports.nix` upward to the root of
/// the git checkout.
///
/// Examples:
///   ports get databases.redis
///   ports list --sort name
///   ports name 6379
///   ports check
///   ports who 6379
///   ports add development.docs
///   ports lint --staged
///   eval "$(ports export --format shell)"
///
/// Exit codes: 0 done, or yes; 1 no; 2 usage, or a registry that cannot be read.
#[derive(Debug, Parser)]
#[command(
    name = "ports",
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
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// Which registry is read, and how.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Registry")]
pub(crate) struct SourceArgs {
    /// The registry: a .nix, .json or .toml file
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The set in the file that holds the ports [default: `ports` if there is one, else the file]
    #[arg(long, global = true, value_name = "ATTRPATH")]
    pub(crate) root: Option<PortPath>,

    /// Who evaluates Nix: this program, asking Nix where it refuses; this program alone; Nix alone
    #[arg(long, global = true, value_name = "WHO", default_value = "auto")]
    pub(crate) evaluator: Evaluator,
}

/// Who evaluates a Nix file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Evaluator {
    Auto,
    Native,
    Nix,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Get(GetArgs),
    List(ListArgs),
    Name(NameArgs),
    Export(ExportArgs),
    Offset(OffsetArgs),
    Env(EnvArgs),
    Check(CheckArgs),
    Who(WhoArgs),
    Next(NextArgs),
    Add(AddArgs),
    Set(SetArgs),
    Rm(RmArgs),
    Lint(LintArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}
