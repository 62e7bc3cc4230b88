//! Why a run ended without its answer.

use cli::{Exit, Failure, StdoutError};

use crate::config::ConfigError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PcError {
    /// There is no project that could run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing that could be checked.
    #[error(transparent)]
    Unreadable(ConfigError),
    /// The engine is not there.
    #[error("this build loads and checks projects, and cannot run them")]
    CannotRun,
    #[error("cannot make JSON")]
    Json(#[source] serde_json::Error),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}

impl Failure for PcError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Unreadable(_) | Self::CannotRun | Self::Json(_) | Self::Stdout(_) => {
                Exit::Trouble
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) | Self::Unreadable(error) => error.hint(),
            Self::CannotRun | Self::Json(_) | Self::Stdout(_) => None,
        }
    }
}
