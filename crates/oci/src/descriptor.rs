//! Descriptors: what a blob is, how large, and its digest.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md>.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{self, DocumentError, Violation, Violations};
use crate::{Digest, MediaType, MismatchError};

/// A pointer to content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where else it can be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The content itself, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What machine a manifest is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The machine that an image runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Platform {
    /// A `GOARCH`, such as `amd64`.
    pub architecture: String,
    /// A `GOOS`, such as `linux`.
    pub os: String,
    /// The system's version.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the system must have.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The processor's variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Descriptor {
    /// A descriptor with nothing but the three required fields.
    ///
    /// ```
    /// use oci::{Descriptor, Digest, MediaType};
    /// let config = Descriptor::new(MediaType::OCI_CONFIG, Digest::of(b"{}"), 2);
    /// assert!(config.validate().is_ok());
    /// ```
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            platform: None,
            artifact_type: None,
            other: BTreeMap::new(),
        }
    }

    /// The descriptor of `content`.
    pub fn of(media_type: MediaType, content: &[u8]) -> Self {
        Self::new(media_type, Digest::of(content), content.len() as u64)
    }

    /// Parses one descriptor.
    ///
    /// # Errors
    /// If it is too large, not JSON, or has fields of another type.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        document::parse("descriptor", bytes, document::MANIFEST_LIMIT)
    }

    /// Holds the descriptor to the rest of the specification.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`], naming the field.
    pub fn validate(&self) -> Result<(), DocumentError> {
        document::named("descriptor", self.violations())
    }

    pub(crate) fn violations(&self) -> Violations {
        if i64::try_from(self.size).is_err() {
            return Err(("size".to_owned(), Violation::Size(self.size)));
        }
        if let Some(url) = self.urls.iter().find(|url| !is_url(url)) {
            return Err(("urls".to_owned(), Violation::Url(url.clone())));
        }
        let Some(data) = &self.data else { return Ok(()) };
        self.check_data(data).map_err(|violation| ("data".to_owned(), violation))
    }

    fn check_data(&self, data: &str) -> Result<(), Violation> {
        let content = base64::engine::general_purpose::STANDARD.decode(data)?;
        let (expected, found) = (self.size, content.len() as u64);
        let digest = || self.digest.clone();
        if found < expected {
            return Err(MismatchError::Short { digest: digest(), expected, found }.into());
        }
        if found > expected {
            return Err(MismatchError::Long { digest: digest(), expected }.into());
        }
        let Some(algorithm) = self.digest.algorithm() else { return Ok(()) };
        let mut hasher = crate::Hasher::new(algorithm);
        hasher.update(&content);
        let found = hasher.finish();
        if found != self.digest {
            return Err(MismatchError::Digest { expected: digest(), found }.into());
        }
        Ok(())
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
        && !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_graphic())
}
