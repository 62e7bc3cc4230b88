//! Pushes an image to a registry, sends only what it lacks, and prints the digest.

mod args;
mod connect;
mod credentials;
mod error;
mod image;
mod inspect;
mod known;
mod make;
mod pack;
mod plan;
mod push;
mod registry;
mod run;
mod source;
mod target;
mod unpacked;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;

/// The command line, for man pages and completions.
pub fn command() -> clap::Command {
    args::Args::command()
}

/// Runs the tool in this process.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run("pushimg", args, run::run)
}
