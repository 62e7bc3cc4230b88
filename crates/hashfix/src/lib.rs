//! `hashfix`: the fixed-output hash of a lockfile, computed from the lockfile and the package registry alone.
//!
//! No Nix, no Node and no build: a [recipe](recipe::Recipe) says what nixpkgs' fetcher would put into its output, the
//! packages are fetched and verified, and the NAR of that output is hashed while they come.

mod args;
mod error;
mod fetch;
mod gnutar;
mod hash;
mod lock;
mod objects;
mod recipe;
mod registries;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use cli::{Exit, Io};

use crate::args::{Args, Verb};
use crate::error::HashfixError;

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
        Verb::Hash(args) => hash::run(&args, io),
    }
}
