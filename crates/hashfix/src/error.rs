//! What ends a run, with its code and its hint.

use std::io;

use cli::{Exit, Failure, StdinIsTerminal, StdoutError};
use gitcmd::GitError;
use nixexpr::EvalError;
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
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("failed to look for Nix files")]
    Walk(#[source] io::Error),
    #[error("failed to find `{path}`")]
    Path {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is not in the repository at `{root}`")]
    Outside { path: String, root: String },
    #[error("`{path}` is not UTF-8")]
    NotText { path: String },
    #[error("`{path}` is not understood")]
    Nix {
        path: String,
        #[source]
        source: EvalError,
    },
    /// A hash of several, by its place.
    #[error("{place}")]
    At {
        place: String,
        #[source]
        source: Box<Self>,
    },
    #[error("`fetcherVersion = {version}` is not computed yet, only version 1 is")]
    FetcherVersion { version: u32 },
    #[error("two calls share this hash, and their lockfiles differ")]
    Shared,
    #[error("`{path}` changed while its hash was computed, so it is left as it is")]
    Changed { path: String },
    #[error("failed to write `{path}`")]
    Edit {
        path: String,
        #[source]
        source: io::Error,
    },
}

impl Failure for HashfixError {
    fn exit(&self) -> Exit {
        match self {
            Self::At { source, .. } => source.exit(),
            Self::Plan(PlanError::Unsupported { .. }) | Self::FetcherVersion { .. } => Exit::Own(4),
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
            Self::At { source, .. } => return source.hint(),
            Self::FetcherVersion { .. } => {
                "set the hash to `\"\"` and build it: Nix says what it got instead"
            }
            Self::Changed { .. } => "run it again",
            Self::Fetch(FetchError::Offline { .. }) => "run it once without `--offline`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
