//! What ends a run.

use cli::{Exit, Failure, StdinIsTerminal, StdoutError};
use gitcmd::GitError;

use crate::baseline::BaselineError;
use crate::files::Fault;
use crate::hook::CallError;
use crate::policy::PolicyError;
use crate::shell::TooDeep;

/// Why guard could not judge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardError {
    #[error(transparent)]
    Stdout(#[from] StdoutError),
    #[error(transparent)]
    Terminal(#[from] StdinIsTerminal),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("failed to read stdin")]
    Stdin(#[source] std::io::Error),
    #[error("stdin is larger than {limit} bytes")]
    TooMuch { limit: u64 },
    #[error("failed to judge the command")]
    Command(#[from] TooDeep),
    #[error("failed to write the findings as JSON")]
    Json(#[from] serde_json::Error),
    #[error("failed to judge {count} of the files: the baseline is not written")]
    Incomplete { count: usize },
    /// A hook that lets pass what it cannot judge.
    #[error("failed to judge the tool call, which is let pass")]
    LetPass(#[source] Box<Self>),
    /// A hook that refuses what it cannot judge.
    #[error("failed to judge the tool call, which is refused")]
    Refused(#[source] Box<Self>),
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Failure for GuardError {
    fn exit(&self) -> Exit {
        match self {
            Self::LetPass(_) => Exit::No,
            Self::Stdout(_)
            | Self::Terminal(_)
            | Self::Policy(_)
            | Self::Baseline(_)
            | Self::Git(_)
            | Self::Fault(_)
            | Self::Stdin(_)
            | Self::TooMuch { .. }
            | Self::Command(_)
            | Self::Json(_)
            | Self::Incomplete { .. }
            | Self::Refused(_)
            | Self::Call(_) => Exit::Trouble,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Terminal(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::LetPass(error) | Self::Refused(error) => error.hint(),
            Self::Git(GitError::Run(_)) => Some("install git, or name the files".to_owned()),
            Self::Fault(Fault::Folder { .. }) => {
                Some("name files, or judge everything with `--all`".to_owned())
            }
            Self::Fault(Fault::Scan { .. }) | Self::Incomplete { .. } => {
                Some("mend the file, or leave it out with `exclude` in guard.toml".to_owned())
            }
            _ => None,
        }
    }
}
