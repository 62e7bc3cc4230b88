//! What ends a run, with its code and its hint.

use std::io;

use cli::{Exit, Failure, StdinIsTerminal, StdoutError};
use oci::Digest;
use oci::source::SourceError;
use transfer::{CallError, ProxyError, UrlError};

use crate::credentials::CredentialsError;
use crate::make::MakeError;
use crate::plan::PlanError;
use crate::registries::RegistriesError;
use crate::registry::RegistryError;
use crate::target::LayoutError;

/// What ends a run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Stdin(#[from] StdinIsTerminal),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("`{host}` is no host that can be asked")]
    Host { host: String, source: UrlError },
    #[error("the image is {found}, but the reference says {expected}")]
    OtherDigest { found: Digest, expected: Digest },
    #[error("`--{flag}` would change the digest of an image that has a manifest")]
    HasManifest { flag: &'static str },
    #[error("cannot write the digest")]
    DigestFile(#[source] io::Error),
    #[error("cannot write JSON")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error("there is no image `{0}`")]
    NotFound(String),
    #[error("`{0}` lists no tags: it is not there, or the registry does not tell")]
    NoTags(String),
    #[error(transparent)]
    Registries(#[from] RegistriesError),
    #[error("stopped")]
    Stopped,
    #[error("interrupted: no tag was moved after that")]
    Interrupted { signal: u8 },
}

impl From<CallError> for PushError {
    fn from(error: CallError) -> Self {
        Self::Registry(error.into())
    }
}

impl Failure for PushError {
    fn exit(&self) -> Exit {
        match self {
            Self::Source(error) | Self::Layout(LayoutError::Read(error)) if error.is_mismatch() => {
                Exit::Own(5)
            }
            Self::Registry(error) => error.exit(),
            Self::Make(error) => error.exit(),
            Self::Layout(LayoutError::Blob { source, .. })
                if crate::registry::is_mismatch(source) =>
            {
                Exit::Own(5)
            }
            Self::OtherDigest { .. } => Exit::Own(5),
            Self::NotFound(_) | Self::NoTags(_) => Exit::No,
            Self::Interrupted { signal } => Exit::Own(128_u8.saturating_add(*signal)),
            Self::Stopped => Exit::Own(4),
            Self::Plan(_)
            | Self::Source(_)
            | Self::Stdin(_)
            | Self::Stdout(_)
            | Self::Credentials(_)
            | Self::Registries(_)
            | Self::Layout(_)
            | Self::Proxy(_)
            | Self::Host { .. }
            | Self::HasManifest { .. }
            | Self::DigestFile(_)
            | Self::Json(_) => Exit::Trouble,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Plan(error) => error.hint(),
            Self::Source(error) | Self::Layout(LayoutError::Read(error)) => {
                error.hint().map(str::to_owned)
            }
            Self::Stdin(error) => error.hint(),
            Self::Credentials(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Make(error) => error.hint(),
            Self::HasManifest { flag } => {
                Some(format!("leave `--{flag}` out: it is for docker archives"))
            }
            _ => None,
        }
    }
}
