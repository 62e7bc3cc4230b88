//! `ports who` and `ports next`.

use std::str::FromStr;

use clap::{Args as ClapArgs, ValueEnum};
use portreg::{PathError, PortPath, parse_numbers};

/// Print what listens on a port of this machine
///
/// A line has number, protocol, address, process id and command. Where the process belongs to somebody else, `-` and
/// its user's id stand for the last two. Only listening sockets count, of IPv4 and IPv6. A path means the numbers of
/// this checkout, and its protocol, if the registry says one.
///
/// Examples:
///   ports who databases.redis
///   ports who 8080
///   kill "$(ports who --json 8080 | jq '.[0].pid')"
///
/// Exit codes: 0 something listens; 1 nothing does, or no such port; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct WhoArgs {
    /// A path in the registry, or a number
    #[arg(value_name = "PATH|NUMBER")]
    pub(crate) target: Target,

    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Number(u16),
    Path(PortPath),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A name that is a number goes in quotes.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(number) if number > 0 => Ok(Self::Number(number)),
                _ => Err("a port is from 1 to 65535".to_owned()),
            };
        }
        text.parse().map(Self::Path).map_err(|error: PathError| error.to_string())
    }
}

/// Print a number that is still free
///
/// It is neither in the registry nor reserved by ports.toml. Numbers come from `--range`, else from the band that
/// ports.toml gives to the group, else from where the group's ports are; without a group from 1024 to 32767, where
/// no system takes numbers for outgoing connections.
///
/// Examples:
///   ports next --group databases
///   ports next --range 3000-3999 --policy gap -n 3 --live
///
/// Exit codes: 0 done; 1 not enough numbers are free, or no such group; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct NextArgs {
    /// A number for this group
    #[arg(long, value_name = "PATH", conflicts_with = "range")]
    pub(crate) group: Option<PortPath>,

    /// A number from A to B
    #[arg(long, value_name = "A-B", value_parser = parse_numbers)]
    pub(crate) range: Option<(u16, u16)>,

    /// Behind the last one, or the lowest that is free
    #[arg(long, value_name = "RULE", default_value = "last")]
    pub(crate) policy: PickRule,

    /// So many, one a line
    #[arg(short = 'n', long, value_name = "K", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) count: u16,

    /// Leave out what is in use on this machine
    #[arg(long)]
    pub(crate) live: bool,
}

/// How a free number is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PickRule {
    /// The first behind the highest number that is taken
    Last,
    /// The lowest that is free
    Gap,
}
