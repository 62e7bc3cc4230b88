//! `ports get`, `ports list` and `ports name`.

use clap::{Args as ClapArgs, ValueEnum};
use portreg::PortPath;

use super::OffsetBy;

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
