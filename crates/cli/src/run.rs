//! The frame of every tool: parse, run, flush, print what went wrong, answer a code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::out::{StdoutError, is_closed_stdout};
use crate::{Common, Exit, Failure, Io};

/// Runs a tool in this process.
///
/// Parses `args` (the first one is the program's own name), calls `body`, flushes stdout, and prints an error as
/// `name: message: cause`, followed by its hint. A reader that closed our stdout ends the run quietly with 0.
pub fn run<A, E>(
    name: &'static str,
    args: impl IntoIterator<Item = OsString>,
    body: impl FnOnce(A, &mut Io) -> Result<Exit, E>,
) -> ExitCode
where
    A: Parser + Common,
    E: Failure,
{
    run_with(&mut Io::from_process(name), args, body).into()
}

/// Runs a tool on the given streams; [`run`] without the process.
pub fn run_with<A, E>(
    io: &mut Io,
    args: impl IntoIterator<Item = OsString>,
    body: impl FnOnce(A, &mut Io) -> Result<Exit, E>,
) -> Exit
where
    A: Parser + Common,
    E: Failure,
{
    let parsed = match A::try_parse_from(args) {
        Ok(parsed) => parsed,
        Err(error) => return explain(io, &error),
    };
    io.configure(parsed.common());
    let result = body(parsed, io);
    let flushed = io.out.finish();
    match result {
        Err(error) => fail(io, &error),
        Ok(exit) => match flushed {
            Ok(()) => exit,
            Err(error) if is_closed_stdout(&error) => exit,
            Err(error) => fail(io, &error),
        },
    }
}

/// Reports what ended the run, unless it is only that nobody reads our stdout any more.
fn fail<E: Failure>(io: &Io, error: &E) -> Exit {
    if is_closed_stdout(error) {
        return Exit::Done;
    }
    io.error(error);
    error.exit()
}

impl Failure for StdoutError {}

/// Prints help, version or a usage error where each belongs.
fn explain(io: &mut Io, error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = if io.out_is_colored() {
            error.render().ansi().to_string()
        } else {
            error.render().to_string()
        };
        return match io.out.print(format_args!("{text}")).and_then(|()| io.out.finish()) {
            Ok(()) => Exit::Done,
            Err(fault) => fail(io, &fault),
        };
    }
    let colored = io.console().color;
    let text = if colored { error.render().ansi().to_string() } else { error.render().to_string() };
    // The tool's name instead of a bare `error:`, as every other message has it.
    let text = match text.strip_prefix("error: ") {
        Some(rest) => format!("{}: {rest}", io.name()),
        None => text,
    };
    io.console().raw(&text);
    Exit::Trouble
}
