//! Looking at images that are there: archives, layouts and plans.

mod diff;
mod entries;
mod inspect;
mod layers;
mod packages;
mod subject;
mod verify;

use cli::StdinIsTerminal;
use oci::layer::LayerError;
use oci::source::{OperandError, SourceError};

pub(crate) use diff::diff;
pub(crate) use inspect::inspect;
pub(crate) use layers::layers;
pub(crate) use packages::{package, split_name};
pub(crate) use subject::{Subject, SubjectLayer, Tar};
pub(crate) use verify::verify;

/// An image cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error(transparent)]
    Operand(#[from] OperandError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Stdin(#[from] StdinIsTerminal),
    /// JSON of another kind.
    #[error("{shown} is JSON, but neither an image plan nor a manifest")]
    Json { shown: String },
    /// A manifest where the blobs are needed.
    #[error("{0} is a manifest: the image itself is not in it")]
    ManifestOnly(String),
    /// An index without what was asked for.
    #[error("{shown} has no image for `{platform}`, but for {found}")]
    Platform { shown: String, platform: String, found: String },
    /// Both images from stdin.
    #[error("stdin can be read once only")]
    StdinTwice,
    /// A manifest and a config that do not belong together.
    #[error("{shown} has {layers} layers, but its config knows {known}")]
    Count { shown: String, layers: usize, known: usize },
    /// A layer cannot be made.
    #[error("cannot make layer {number} of {shown}")]
    Layer { shown: String, number: usize, source: Box<LayerError> },
    /// A layer cannot be read.
    #[error("cannot read layer {number} of {shown}")]
    Read { shown: String, number: usize, source: std::io::Error },
    /// A layer that is another one now.
    #[error("layer {number} of {shown} is not what {shown} says it is")]
    Changed { shown: String, number: usize },
    /// A layer that holds too much to be compared.
    #[error("{shown} has more than 4000000 entries")]
    TooMany { shown: String },
}

impl LookError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Operand(OperandError::Daemon { .. }) => {
                Some("save it first: `docker save IMAGE | ociimg … -`")
            }
            Self::Operand(OperandError::Transport(_)) => Some(
                "an IMAGE is a file, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE` or `-`",
            ),
            Self::Platform { .. } => Some("name one of them by `--platform OS/ARCH`"),
            Self::ManifestOnly(_) => Some("name an archive, a layout or a plan"),
            Self::Layer { source, .. } if matches!(**source, LayerError::Missing { .. }) => {
                Some("a plan can be read where its store paths are")
            }
            Self::Changed { .. } => Some("`ociimg verify` says what differs"),
            _ => None,
        }
    }
}
