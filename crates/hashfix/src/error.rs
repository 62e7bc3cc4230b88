//! What ends a run, with its code and its hint.

use std::io;

use cli::{Exit, Failure, StdinIsTerminal, StdoutError};
use transfer::ProxyError;

use crate::fetch::FetchError;
use crate::lock::MAX_BYTES;
use crate::recipe::PlanError;
use crate::registries::RegistriesError;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashfixError {
    #[error(transparent)]
    Stdin(#[from] StdinIsTerminal),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
    #[error("failed to read the lockfile")]
    Read(#[source] io::Error),
    #[error("`{path}` has more than {MAX_BYTES} bytes: that is no lockfile")]
    TooLarge { path: String },
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Registries(#[from] RegistriesError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("the cache cannot be used")]
    Cache(#[source] io::Error),
    #[error("there is no place for a cache: neither XDG_CACHE_HOME nor HOME is set")]
    NoCache,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("failed to write the NAR")]
    Nar(#[source] io::Error),
    #[error("stdout is a terminal, and a NAR is not for reading")]
    NarToTerminal,
}

impl Failure for HashfixError {
    fn exit(&self) -> Exit {
        match self {
            Self::Plan(PlanError::Unsupported { .. }) => Exit::Own(4),
            Self::Fetch(FetchError::Write(_) | FetchError::Tree(_)) => Exit::Trouble,
            Self::Fetch(_) => Exit::Own(3),
            _ => Exit::Trouble,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Plan(PlanError::Ambiguous { .. }) => {
                "say which: `--recipe yarn1` for nixpkgs since 2026-08, `--recipe yarn1-before-2026` before"
            }
            Self::Fetch(FetchError::Offline { .. }) => "run it once without `--offline`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
