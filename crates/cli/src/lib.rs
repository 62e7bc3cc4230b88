//! Process manners that all tools share: exit codes, stdout, diagnostics, colour, progress, environment.

mod exit;
mod failure;

pub use exit::Exit;
pub use failure::Failure;
