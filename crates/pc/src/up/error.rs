//! Why a project could not be run.

use std::io;

use cli::StdoutError;

use super::machine::MachineError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("cannot start the guardian")]
    Guardian(#[source] io::Error),
    #[error("cannot take over signals")]
    Signals(#[source] io::Error),
    #[error("cannot write the events")]
    Events(#[source] io::Error),
    #[error("cannot write the JUnit report")]
    Junit(#[source] io::Error),
    #[error("cannot write the report")]
    Report(#[source] serde_json::Error),
    #[error("there is no process `{0}`")]
    NoProcess(String),
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}
