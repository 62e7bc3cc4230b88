//! Why a source is no image.

use std::io;
use std::path::PathBuf;

use super::tar::TarError;
use crate::{Digest, DocumentError};

/// Why a source is no image. `shown` is how the source is called in messages.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named in the message of each variant")]
pub enum SourceError {
    /// The file system said no.
    #[error("cannot open the image")]
    Open { source: io::Error },
    /// Nothing is there.
    #[error("there is nothing at `{}`", path.display())]
    Missing { path: PathBuf },
    /// A folder that is something else.
    #[error("`{}` is a folder, but no OCI layout: it has no `index.json`", path.display())]
    Folder { path: PathBuf },
    /// Reading failed.
    #[error("cannot read {shown}")]
    Read { shown: String, source: io::Error },
    /// No bytes.
    #[error("{shown} is empty")]
    Empty { shown: String },
    /// Bytes that say nothing.
    #[error("{shown} is neither an image plan nor an archive")]
    Unknown { shown: String },
    /// Compressed bytes that say nothing.
    #[error(
        "{shown} is compressed by {compressor}, and what is in it is neither an image plan nor an archive"
    )]
    Inside { shown: String, compressor: &'static str },
    /// Broken compressed bytes.
    #[error("cannot decode the {compressor} data of {shown}")]
    Decode { shown: String, compressor: &'static str, source: io::Error },
    /// A stream could not be kept.
    #[error("cannot write a temporary file for {shown}")]
    Spool { shown: String, source: io::Error },
    /// A broken archive.
    #[error("{shown} is no tar archive")]
    Tar { shown: String, source: TarError },
    /// A tar of something else.
    #[error(
        "{shown} is a tar, but holds no image: neither `index.json` nor `manifest.json` is in it"
    )]
    NotAnImage { shown: String },
    /// Not what it was said to be.
    #[error("{shown} is no OCI layout: it has no `index.json`")]
    NotALayout { shown: String },
    /// Not what it was said to be.
    #[error("{shown} is no docker archive: it has no `manifest.json`")]
    NotADockerArchive { shown: String },
    /// An empty list of images.
    #[error("{shown} holds no image")]
    NoImage { shown: String },
    /// One has to be named.
    #[error("{shown} holds {count} images: {names}")]
    ManyImages { shown: String, count: usize, names: String },
    /// Another one has to be named.
    #[error("{shown} holds no image named `{name}`, but {names}")]
    NoSuchImage { shown: String, name: String, names: String },
    /// A blob is missing.
    #[error("{shown} has no blob {digest}")]
    NoBlob { shown: String, digest: Digest },
    /// A file of an archive is missing.
    #[error("{shown} has no file `{name}`")]
    NoEntry { shown: String, name: String },
    /// A file of an archive cannot be read.
    #[error("cannot read `{name}` of {shown}")]
    Entry { shown: String, name: String, source: io::Error },
    /// A document that is none.
    #[error("`{name}` of {shown} has {size} bytes but must have at most {limit}")]
    TooLarge { shown: String, name: String, size: u64, limit: usize },
    /// A blob of another size.
    #[error("`{name}` of {shown} has {found} bytes, not {expected}")]
    Size { shown: String, name: String, expected: u64, found: u64 },
    /// A blob of other bytes.
    #[error("`{name}` of {shown} has the digest {found}, not {expected}")]
    Digest { shown: String, name: String, expected: Digest, found: Digest },
    /// An artifact.
    #[error("`{name}` of {shown} has the media type `{media_type}`, which is no image's")]
    MediaType { shown: String, name: String, media_type: String },
    /// A loop of indexes.
    #[error("{shown} has indexes in indexes without end")]
    TooDeep { shown: String },
    /// A plan that is none.
    #[error("{shown} holds no plan")]
    Plan { shown: String, source: Box<crate::plan::PlanError> },
    /// A document that is none.
    #[error("`{name}` of {shown}")]
    Document { shown: String, name: String, source: Box<DocumentError> },
    /// A document that is none.
    #[error("`{name}` of {shown} is not what it should be")]
    Json { shown: String, name: &'static str, source: serde_json::Error },
    /// A config of another image.
    #[error("{shown} has {layers} layers, but its config knows {known}")]
    Layers { shown: String, layers: usize, known: usize },
}

impl SourceError {
    /// Whether content is not what its digest says.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Self::Digest { .. } | Self::Size { .. })
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty { .. } => {
                "the program in front of the pipe printed nothing: look at what it says"
            }
            Self::ManyImages { .. } => "name one of them: `oci:DIR:NAME`",
            Self::Spool { .. } => "point `TMPDIR` at a place with room for the whole image",
            Self::Unknown { .. } => {
                "`ociimg build` prints a plan; `nix build` of an image leaves an archive"
            }
            _ => return None,
        })
    }
}
