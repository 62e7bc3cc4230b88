//! `pc`: runs the processes of a process-compose.yaml.
//!
//! [`config`] makes one resolved project of the files; everything that runs takes that project.

mod args;
pub mod asked;
mod check;
mod ci;
pub mod config;
mod engine;
mod error;
mod events;
#[doc(hidden)]
pub mod fuzzing;
mod logs;
mod os;
mod ports_plan;
mod probe;
mod project;
mod report;
mod run;
mod schema;
mod show;
mod spelling;
mod start;
mod up;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use cli::{Exit, Io};

use crate::args::{Args, SchemaArgs, Verb};
use crate::error::PcError;
use crate::spelling::Flags;

/// The command line, for man pages and completions.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the tool; `args` starts with the program's own name. As `process-compose` it answers to that name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let guarded = os::Guarded::take(&mut args);
    let name = args.first().and_then(|name| Path::new(name).file_name());
    let is_upstream = name.is_some_and(|name| name == "process-compose");
    let launch = up::Launch { guarded: &guarded, argv: &args };
    let args = spelling::settle(args.clone(), &flags(), is_upstream);
    let name = if is_upstream { "process-compose" } else { "pc" };
    cli::run(name, args, |args, io: &mut Io| run(args, &launch, io))
}

/// Every flag of every verb.
fn flags() -> Flags {
    let command = command();
    let mut flags = Flags::default();
    for verb in command.get_subcommands() {
        flags.verbs.push(verb.get_name().to_owned());
        flags.verbs.extend(verb.get_all_aliases().map(str::to_owned));
    }
    for arg in command.get_subcommands().chain([&command]).flat_map(clap::Command::get_arguments) {
        let takes_value = arg.get_action().takes_values() && !arg.is_require_equals_set();
        let longs = arg.get_long().into_iter().chain(arg.get_all_aliases().into_iter().flatten());
        flags.longs.extend(longs.map(|long| (long.to_owned(), takes_value)));
        flags.shorts.extend(arg.get_short().map(|short| (short, takes_value)));
    }
    flags
}

fn run(args: Args, launch: &up::Launch<'_>, io: &mut Io) -> Result<Exit, PcError> {
    match args.verb {
        Verb::Up(args) => start::up(&args, launch, io),
        Verb::Run(args) => start::run(&args, launch, io),
        Verb::Ci(args) => start::ci(&args, launch, io),
        Verb::Check(args) => check::run(&args, io),
        Verb::Config(args) => show::run(&args, io),
        Verb::Schema(SchemaArgs {}) => schema::run(io),
    }
}
