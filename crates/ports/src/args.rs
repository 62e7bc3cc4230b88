//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs};
use portreg::{Glob, PortPath, Template};

/// Look up, list, name and export the ports of one registry
///
/// The registry is `--file`, else `PORTS_FILE`, else the first `lib/ports.nix`, `nix/ports.nix`,
/// `ports.nix`, `modules/ports.nix`, `lib/config/ports.nix` or `config/ports.nix` upward to the root of
/// the git checkout.
///
/// Examples:
///   ports get databases.redis
///   ports list --sort name
///   ports name 6379
///   eval "$(ports export --format shell)"
///
/// Exit codes: 0 done, or yes; 1 no such port; 2 usage, or a registry that cannot be read.
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
}

/// Print the number of each path, one a line
///
/// A range is printed as `from-to`, and each of its ends has a path of its own: `mosh.from`. What is not in
/// the registry is told on stderr and the rest is printed, so look at the exit code before lines are counted.
///
/// Examples:
///   ports get databases.redis
///   ports get databases.redis databases.postgresql
///   ports get web.admin --default 8080
///
/// Exit codes: 0 all found; 1 some are not in the registry; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct GetArgs {
    /// Paths in the registry; a name with dots goes in quotes: 'web."foo.bar"'
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PortPath>,

    /// The number for a path that is not in the registry
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) default: Option<u16>,

    /// Print a JSON array with place, protocol and description
    #[arg(long)]
    pub(crate) json: bool,

    /// Add N to the ports that move, or what this checkout has (auto) [default: `PORTS_OFFSET`, else 0]
    #[arg(long, value_name = "N|auto", allow_negative_numbers = true)]
    pub(crate) offset: Option<OffsetBy>,
}

/// List all ports: number, path, protocol, place and description
///
/// Examples:
///   ports list
///   ports list --group databases
///   ports list --json | jq -r '.[] | select(.protocol == "udp") | .path'
///
/// Exit codes: 0 done; 1 no such group; 2 could not answer, or an entry is no port.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct ListArgs {
    /// Show the groups as a tree
    #[arg(long, conflicts_with_all = ["json", "sort"])]
    pub(crate) tree: bool,

    /// The order of the lines
    #[arg(long, value_name = "BY", default_value = "port")]
    pub(crate) sort: Sort,

    /// Only what is in this group
    #[arg(long, value_name = "PATH")]
    pub(crate) group: Option<PortPath>,

    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Port,
    Name,
    File,
}

/// Print every path that holds a number, ranges too
///
/// Examples:
///   ports name 6379
///
/// Exit codes: 0 found; 1 nothing has this number; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct NameArgs {
    /// The number
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) number: u16,

    /// Print a JSON array with place, protocol and description
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write the ports in the form that another program reads
///
/// A variable is named after its path: `infrastructure.nodeExporter` is
/// `INFRASTRUCTURE_NODE_EXPORTER_PORT`. A range has two, one for each of its ends. `direnv` also watches the
/// registry, and passes the offset on as `PORTS_OFFSET`.
///
/// Examples:
///   ports export --format dotenv > .env
///   ports export --format just > ports.just
///   eval "$(ports export --format shell --only databases --template '{NAME}_PORT')"
///
/// Exit codes: 0 done; 2 could not answer, an entry is no port, or two paths make one name.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExportArgs {
    /// The form
    #[arg(long, value_name = "FORM")]
    pub(crate) format: Format,

    /// Only paths that match; a group stands for all in it
    #[arg(long, value_name = "GLOB", value_parser = Glob::new)]
    pub(crate) only: Option<Glob>,

    /// Put before the name of every variable
    #[arg(long, value_name = "P", value_parser = prefix)]
    pub(crate) prefix: Option<String>,

    /// The name of a variable, from {PATH}, {GROUP} and {NAME} [default: {PATH}_PORT]
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) template: Option<Template>,

    /// Add N to the ports that move, or what this checkout has (auto) [default: `PORTS_OFFSET`, else 0]
    #[arg(long, value_name = "N|auto", allow_negative_numbers = true)]
    pub(crate) offset: Option<OffsetBy>,
}

/// An offset as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetBy {
    /// That of this checkout.
    Auto,
    /// This one.
    Number(i32),
}

impl FromStr for OffsetBy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Number).map_err(|_| "it must be a whole number, or `auto`"),
        }
    }
}

/// Print the offset of this checkout
///
/// It is `PORTS_OFFSET`, if that is set. The primary checkout of a repository has 0: its ports are those of the
/// registry. A linked git worktree has a slot, which it keeps: slots are held for each user in
/// `$XDG_STATE_HOME/likewise/worktree-slots`, so that no two worktrees share one. Nothing moves by itself: the offset
/// reaches a program by `PORTS_OFFSET` alone, which `ports env` and `ports export --format direnv` set.
///
/// Examples:
///   ports offset
///   ports export --format env --offset "$(ports offset)"
///
/// Exit codes: 0 done; 2 could not answer, or the offset does not fit the registry.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct OffsetArgs {
    /// Give this worktree another slot, for one that does not fit the registry any more
    #[arg(long)]
    pub(crate) renew: bool,

    /// Print a JSON object with slot and checkout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run a program with the ports of this checkout in its environment
///
/// `PORTS_OFFSET` is set, which every `ports` below it honours, and a variable for each port, named as by
/// `ports export`. The program takes the place of this process.
///
/// Examples:
///   ports env -- just dev
///   ports env --only databases -- ./migrate
///
/// Exit codes: the program's own; 126 it cannot be run, 127 there is none; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct EnvArgs {
    /// Only paths that match; a group stands for all in it
    #[arg(long, value_name = "GLOB", value_parser = Glob::new)]
    pub(crate) only: Option<Glob>,

    /// Put before the name of every variable
    #[arg(long, value_name = "P", value_parser = prefix)]
    pub(crate) prefix: Option<String>,

    /// The name of a variable, from {PATH}, {GROUP} and {NAME} [default: {PATH}_PORT]
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) template: Option<Template>,

    /// Another offset than that of this checkout
    #[arg(long, value_name = "N|auto", allow_negative_numbers = true, default_value = "auto")]
    pub(crate) offset: OffsetBy,

    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// A form to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Nested objects
    Json,
    /// Nested tables
    Toml,
    /// NAME=value, as `docker run --env-file` and systemd read it
    Env,
    /// NAME=value, quoted where needed
    Dotenv,
    /// export NAME=value
    Shell,
    /// set -gx NAME value
    Fish,
    /// What an .envrc evaluates
    Direnv,
    /// Exported variables of a justfile
    Just,
    /// Lines for /etc/services
    Services,
    /// A set of numbers
    Nix,
}

impl Format {
    /// The name as it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
    }
}

/// The start of a variable's name.
fn prefix(text: &str) -> Result<String, String> {
    let valid = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if valid {
        return Ok(text.to_owned());
    }
    Err("a name of a variable has letters, digits and `_`, and no digit first".to_owned())
}
