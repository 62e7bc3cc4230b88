//! `ports offset` and `ports env`, and offsets as they are typed.

use std::ffi::OsString;
use std::str::FromStr;

use clap::Args as ClapArgs;
use portreg::{Glob, Template};

use super::export::prefix;

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
