//! Why a run ended without its answer.

use cli::{Exit, Failure, StdoutError};

use crate::config::ConfigError;
use crate::ports_plan::TakenPorts;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PcError {
    /// There is no project that could run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing that could be checked.
    #[error(transparent)]
    Unreadable(ConfigError),
    /// A port that is wanted belongs to somebody else.
    #[error(transparent)]
    Ports(#[from] TakenPorts),
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] crate::up::RunError),
    #[error("cannot make JSON")]
    Json(#[source] serde_json::Error),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}

impl Failure for PcError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Ports(error) => error.exit(),
            Self::Unreadable(_) | Self::Run(_) | Self::Json(_) | Self::Stdout(_) => Exit::Trouble,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) | Self::Unreadable(error) => error.hint(),
            Self::Ports(error) => error.hint(),
            Self::Run(_) | Self::Json(_) | Self::Stdout(_) => None,
        }
    }
}
