//! `ports check`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Check the registry: duplicates, numbers that are none, bands, what the system keeps for itself
///
/// P001 two ports have one number (an alias has not), P002 not from 1 to 65535, P003 no port, range or list,
/// P004 outside of the group's band, or reserved, P005 privileged, P006 in the range of outgoing connections,
/// P007 another number in /etc/services. P001 to P004 are errors, the others are said and do not fail.
///
/// Examples:
///   ports check
///   ports check --format github
///
/// Exit codes: 0 nothing is wrong; 1 there are errors; 2 could not answer.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct CheckArgs {
    /// The form of the findings
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(crate) format: ReportForm,

    /// Take /etc/services and /proc/sys of the system whose root is this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) system: PathBuf,
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
