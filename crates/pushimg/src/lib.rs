//! Pushes an image to a registry, sends only what it lacks, and prints the digest.

mod args;
mod authfile;
mod connect;
mod copy;
mod credentials;
mod error;
mod former;
mod helper;
mod image;
mod index;
mod inspect;
mod interrupt;
mod known;
mod login;
mod make;
mod meter;
mod pack;
mod plan;
mod push;
mod registries;
mod registry;
mod run;
mod source;
mod stream;
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
