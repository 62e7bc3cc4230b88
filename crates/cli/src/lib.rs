//! Process manners that all tools share: exit codes, stdout, diagnostics, colour, progress, environment.
//!
//! A tool's `main` is one call of [`run()`]; its body gets parsed arguments and an [`Io`], and answers an [`Exit`]
//! or an error that is a [`Failure`]. Nothing else in the workspace touches the process's streams.

mod args;
mod console;
mod env;
mod exit;
mod failure;
mod generate;
mod io;
mod out;
mod progress;
mod run;
mod terminal;

pub use args::{Common, CommonArgs};
pub use env::{Env, Var};
pub use exit::Exit;
pub use failure::Failure;
pub use generate::{CompletionsArgs, GenerateError, ManArgs};
pub use io::{Io, StdinIsTerminal};
pub use out::{Out, StdoutError};
pub use progress::{Progress, human_bytes};
pub use run::{run, run_with};
pub use terminal::{ColorChoice, escape};
