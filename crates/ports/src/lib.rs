//! `ports`: look up, list, name and export the ports of one registry.
//!
//! The registry is a file that NixOS modules import as it is, `lib/ports.nix`; `ports` reads it for everything that
//! is not Nix, in about a millisecond.

mod args;
mod check;
mod env;
mod error;
mod export;
mod finding;
mod get;
mod list;
mod name;
mod offset;
mod plan;
mod record;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use cli::{Exit, Io};

use crate::args::{Args, Verb};
use crate::error::PortsError;
use crate::plan::Plan;

/// The command line, for man pages and completions.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the tool; `args` starts with the program's own name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run("ports", args, run)
}

fn run(args: Args, io: &mut Io) -> Result<Exit, PortsError> {
    let plan = Plan::resolve(&args.source, io)?;
    match args.verb {
        Verb::Get(args) => get::run(&plan, &args, io),
        Verb::List(args) => list::run(&plan, &args, io),
        Verb::Name(args) => name::run(&plan, &args, io),
        Verb::Export(args) => export::run(&plan, &args, io),
        Verb::Offset(args) => offset::run(&plan, &args, io),
        Verb::Env(args) => env::run(&plan, &args, io),
        Verb::Check(args) => check::run(&plan, &args, io),
    }
}
