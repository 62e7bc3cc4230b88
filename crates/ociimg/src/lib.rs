//! `ociimg`: turns store paths and files into a reproducible OCI image.
//!
//! The tool's page is `docs/ociimg.md`.

mod args;
mod base;
mod build;
mod compat;
mod convert;
mod destination;
mod error;
mod input;
mod kept;
mod look;
mod predict;
mod settings;
mod spec;
mod spec_config;
mod split;
mod why;
mod write;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;

use args::{Args, Verb};

/// The command line, for man pages and completions.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the tool on the arguments of a process, the first being its own name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run("ociimg", compat::by_own_name(args), |args: Args, io| match &args.verb {
        Verb::Build(build) => build::run(build, io),
        Verb::Plan(plan) => predict::plan(plan, io),
        Verb::Inspect(inspect) => look::inspect(inspect, io),
        Verb::Layers(inspect) => look::layers(inspect, io),
        Verb::Why(why) => why::why(why, io),
        Verb::Diff(diff) => look::diff(diff, io),
        Verb::Verify(verify) => look::verify(verify, io),
        Verb::Convert(convert) => convert::run(convert, io),
        Verb::Compat(compat) => compat::run(compat, io),
    })
}
