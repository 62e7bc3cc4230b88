//! Why a source is no image that can be pushed.

use std::io;
use std::path::PathBuf;

use cli::Exit;
use oci::{Digest, DocumentError};

use super::tar::TarError;

/// Why a source is no image that can be pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("cannot open the image")]
    Open { source: io::Error },
    #[error("there is nothing at `{}`", path.display())]
    Missing { path: PathBuf },
    #[error("`{}` is a folder, but no OCI layout: it has no `index.json`", path.display())]
    Folder { path: PathBuf },
    #[error("cannot read {shown}")]
    Read { shown: String, source: io::Error },
    #[error("{shown} is empty")]
    Empty { shown: String },
    #[error("{shown} is neither an image plan nor an archive")]
    Unknown { shown: String },
    #[error(
        "{shown} is compressed by {compressor}, and what is in it is neither an image plan nor an archive"
    )]
    Inside { shown: String, compressor: &'static str },
    #[error("cannot decode the {compressor} data of {shown}")]
    Decode { shown: String, compressor: &'static str, source: io::Error },
    #[error("cannot write a temporary file for {shown}")]
    Spool { shown: String, source: io::Error },
    #[error("{shown} is no tar archive")]
    Tar { shown: String, source: TarError },
    #[error(
        "{shown} is a tar, but holds no image: neither `index.json` nor `manifest.json` is in it"
    )]
    NotAnImage { shown: String },
    #[error("{shown} is no OCI layout: it has no `index.json`")]
    NotALayout { shown: String },
    #[error("{shown} is no docker archive: it has no `manifest.json`")]
    NotADockerArchive { shown: String },
    #[error("{shown} holds no image")]
    NoImage { shown: String },
    #[error("{shown} holds {count} images: {names}")]
    ManyImages { shown: String, count: usize, names: String },
    #[error("{shown} holds no image named `{name}`, but {names}")]
    NoSuchImage { shown: String, name: String, names: String },
    #[error("{shown} has no blob {digest}")]
    NoBlob { shown: String, digest: Digest },
    #[error("{shown} has no file `{name}`")]
    NoEntry { shown: String, name: String },
    #[error("cannot read `{name}` of {shown}")]
    Entry { shown: String, name: String, source: io::Error },
    #[error("`{name}` of {shown} has {size} bytes but must have at most {limit}")]
    TooLarge { shown: String, name: String, size: u64, limit: usize },
    #[error("`{name}` of {shown} has {found} bytes, not {expected}")]
    Size { shown: String, name: String, expected: u64, found: u64 },
    #[error("`{name}` of {shown} has the digest {found}, not {expected}")]
    Digest { shown: String, name: String, expected: Digest, found: Digest },
    #[error("`{name}` of {shown} has the media type `{media_type}`, which is no image's")]
    MediaType { shown: String, name: String, media_type: String },
    #[error("{shown} has indexes in indexes without end")]
    TooDeep { shown: String },
    #[error("{shown} holds no plan")]
    Plan { shown: String, source: Box<oci::plan::PlanError> },
    #[error("`{name}` of {shown}")]
    Document { shown: String, name: String, source: Box<DocumentError> },
    #[error("`{name}` of {shown} is not what it should be")]
    Json { shown: String, name: &'static str, source: serde_json::Error },
    #[error("{shown} has {layers} layers, but its config knows {known}")]
    Layers { shown: String, layers: usize, known: usize },
}

impl SourceError {
    /// 5 for content that is not what its digest says, 2 for the rest.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Digest { .. } | Self::Size { .. } => Exit::Own(5),
            _ => Exit::Trouble,
        }
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Empty { .. } => {
                "the program in front of the pipe printed nothing: look at what it says"
            }
            Self::ManyImages { .. } => "name one of them: `oci:DIR:NAME`",
            Self::Spool { .. } => "point `TMPDIR` at a place with room for the whole image",
            Self::Unknown { .. } => {
                "`ociimg build` prints a plan; `nix build` of an image leaves an archive"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
