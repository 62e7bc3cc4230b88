//! The output of processes: captured without loss, kept in memory, written to files and to stdout.

mod file;
mod format;
mod layout;
mod lines;
mod outlet;
mod ring;

pub(crate) use file::LogFile;
pub(crate) use format::{Style, append_json_text};
pub(crate) use lines::{Line, Lines};
pub(crate) use outlet::{Outlet, SlowReader};
pub(crate) use ring::Ring;

/// Which of its two streams a process wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
