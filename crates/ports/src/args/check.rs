//! `ports check`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Check the registry: duplicates, numbers that are none, bands, what the system keeps for itself
///
/// P001 two ports have one number (an alias has not), P002 not from 1 to 65535, P003 no port, range or list,
/// P004 outside of the group's band, or reserved, P005 privileged, P006 in the range of outgoing connections,
/// P007 another number in /etc/services. P001 to P004 are errors, the others are said and do not fail.
///
/// With `--live` it also looks which of the numbers are in use on this machine.
///
/// Examples:
///   ports check
///   ports check --format github
///   ports check --live                  before a deployment: everything must be free
///   ports check --live --expect used    after it: everything must be there
///
/// Exit codes: 0 nothing is wrong; 1 there are errors; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct CheckArgs {
    /// Look at this machine's sockets, too; numbers are those of this checkout
    #[arg(long)]
    pub(crate) live: bool,

    /// What each port must be
    #[arg(long, value_name = "STATE", default_value = "free", requires = "live")]
    pub(crate) expect: Expect,

    /// The form of the findings
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(crate) format: ReportForm,

    /// Take /etc/services and /proc/sys of the system whose root is this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) system: PathBuf,
}

/// The state that a port must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expect {
    Free,
    Used,
}

/// The form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// A line for people
    Human,
    /// One JSON value
    Json,
    /// Annotations of a GitHub workflow
    Github,
}
