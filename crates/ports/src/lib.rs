//! `ports`: look up, check, allocate, edit and export the ports of one registry.
//!
//! The registry is a file that NixOS modules import as it is, `lib/ports.nix`; `ports` reads it for everything that
//! is not Nix, in about a millisecond.

mod args;
mod check;
mod edit;
mod env;
mod error;
mod export;
mod finding;
mod get;
mod lint;
mod list;
mod live;
mod name;
mod next;
mod offset;
mod plan;
mod record;
mod sockets;
mod table;
mod who;

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
    let Args { verb, source, .. } = args;
    let plan = |io: &Io| Plan::resolve(&source, io);
    match verb {
        Verb::Get(args) => get::run(&plan(io)?, &args, io),
        Verb::List(args) => list::run(&plan(io)?, &args, io),
        Verb::Name(args) => name::run(&plan(io)?, &args, io),
        Verb::Export(args) => export::run(&plan(io)?, &args, io),
        Verb::Offset(args) => offset::run(&plan(io)?, &args, io),
        Verb::Env(args) => env::run(&plan(io)?, &args, io),
        Verb::Check(args) => check::run(&plan(io)?, &args, io),
        Verb::Who(args) => who::run(plan, &args, io),
        Verb::Next(args) => next::run(&plan(io)?, &args, io),
        Verb::Add(args) => edit::add(&plan(io)?, &args, io),
        Verb::Set(args) => edit::set(&plan(io)?, &args, io),
        Verb::Rm(args) => edit::rm(&plan(io)?, &args, io),
        Verb::Lint(args) => lint::run(plan, &args, io),
        Verb::Completions(args) => Ok(args.write(command(), io)?),
        Verb::Man(args) => Ok(args.write(command(), io)?),
    }
}
