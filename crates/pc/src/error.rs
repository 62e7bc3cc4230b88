//! Why a run ended without its answer.

use std::path::PathBuf;

use cli::{Exit, Failure, StdoutError};
use composefile::{LoadError, ParseError};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PcError {
    #[error("there is no process-compose.yaml in `{}`", .0.display())]
    NoFile(PathBuf),
    #[error("cannot load the project")]
    Load(#[source] LoadError),
    #[error("{}:{source}", path.display())]
    Syntax { path: PathBuf, source: ParseError },
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}

impl Failure for PcError {
    fn exit(&self) -> Exit {
        Exit::Trouble
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFile(_) => {
                Some("name the file by `-f`, or write a process-compose.yaml".to_owned())
            }
            _ => None,
        }
    }
}
