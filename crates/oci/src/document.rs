//! What the JSON documents of an image have in common: a size limit, strict types, and the
//! specification's other demands, which [`Violation`] lists.

use serde::de::DeserializeOwned;

use crate::{DigestError, MismatchError, TimestampError};

/// The largest manifest or index that is read: what registries accept.
pub(crate) const MANIFEST_LIMIT: usize = 4 << 20;
/// The largest config that is read: Docker's own limit.
pub(crate) const CONFIG_LIMIT: usize = 8 << 20;

/// A document of an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is larger than any honest one.
    #[error("{what} is {size} bytes long but must be at most {limit}")]
    TooLarge {
        /// Which document.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It is not JSON, or a field is missing or of another type.
    #[error("cannot read the {what}")]
    Json {
        /// Which document.
        what: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It can be read, but the specification forbids it.
    #[error("{what} breaks the image specification in `{field}`")]
    Invalid {
        /// Which document.
        what: &'static str,
        /// Which field.
        field: String,
        /// In which way.
        source: Violation,
    },
}

/// A demand of the image specification that types alone do not hold.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// `schemaVersion` is not 2.
    #[error("the schema version is {0} but must be 2")]
    SchemaVersion(u64),
    /// An image without a layer.
    #[error("there must be at least one layer")]
    NoLayers,
    /// A document that calls itself something else.
    #[error("the media type is `{0}`")]
    MediaType(String),
    /// A URL without a scheme, or with a blank in it.
    #[error("`{0}` is not a URL with a scheme")]
    Url(String),
    /// Embedded data that is not base64.
    #[error("the embedded data is not base64")]
    Base64(#[from] base64::DecodeError),
    /// Embedded data that is not what the descriptor says.
    #[error("the embedded data is not what the descriptor says")]
    Data(#[from] MismatchError),
    /// A size that no 64-bit signed integer holds.
    #[error("the size is {0} but must be at most 9223372036854775807")]
    Size(u64),
    /// `rootfs.type` is not `layers`.
    #[error("the type is `{0}` but must be `layers`")]
    RootFsType(String),
    /// A variable that has no `=`.
    #[error("`{0}` has no `=`")]
    Env(String),
    /// A time that is not RFC 3339.
    #[error(transparent)]
    Time(#[from] TimestampError),
    /// A digest that cannot be parsed.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// Names the document and the field that a violation is in.
pub(crate) type Violations = Result<(), (String, Violation)>;

/// Parses a document no larger than `limit`.
pub(crate) fn parse<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    limit: usize,
) -> Result<T, DocumentError> {
    if bytes.len() > limit {
        return Err(DocumentError::TooLarge { what, size: bytes.len(), limit });
    }
    serde_json::from_slice(bytes).map_err(|source| DocumentError::Json { what, source })
}

pub(crate) fn named(what: &'static str, violations: Violations) -> Result<(), DocumentError> {
    violations.map_err(|(field, source)| DocumentError::Invalid { what, field, source })
}

/// Puts `prefix` in front of the field that a nested document complains about.
pub(crate) fn inside(prefix: &str, violations: Violations) -> Violations {
    violations.map_err(|(field, violation)| (format!("{prefix}.{field}"), violation))
}
