//! `hashfix`: the fixed-output hash of a lockfile, computed from the lockfile and the package registry alone.
//!
//! No Nix, no Node and no build: a recipe says what nixpkgs' fetcher would put into its output, the
//! packages are fetched and verified, and the NAR of that output is hashed while they come.

mod args;
mod check;
mod edit;
mod error;
mod fetch;
mod find;
mod gnutar;
mod hash;
mod kitchen;
mod lock;
mod objects;
mod recipe;
mod registries;
mod report;
mod results;
mod tree;
mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use cli::{Exit, Io};

use crate::args::{Args, Verb};
use crate::error::HashfixError;
use crate::find::Kind;

/// The command line, for man pages and completions.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the tool; `args` starts with the program's own name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run("hashfix", args, run)
}

fn run(args: Args, io: &mut Io) -> Result<Exit, HashfixError> {
    match args.verb {
        Verb::All(args) => check::run(None, &args, io),
        Verb::Yarn(args) => check::run(Some(Kind::Yarn), &args, io),
        Verb::Npm(args) => check::run(Some(Kind::Npm), &args, io),
        Verb::Cargo(args) => check::run(Some(Kind::Cargo), &args, io),
        Verb::Hash(args) => hash::run(&args, io),
    }
}
