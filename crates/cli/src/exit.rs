//! Exit codes: what a script may rely on.

use std::process::ExitCode;

/// What a process answers to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or yes.
    Done,
    /// 1: the honest no: not found, stale, would change, a check failed.
    No,
    /// 2: could not answer: usage, I/O, network, a broken input.
    Trouble,
    /// From 3 on: each tool's own codes; its page lists them. Wrappers pass a child's code here.
    Own(u8),
}

impl Exit {
    /// The number that the parent sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Trouble => 2,
            Self::Own(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
