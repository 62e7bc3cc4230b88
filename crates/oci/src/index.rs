//! Indexes: several manifests under one name, OCI's and Docker's manifest list.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{self, DocumentError, Violation, Violations, inside};
use crate::{Descriptor, MediaType};

/// A list of manifests: the platforms of an image, or the images of a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u64,
    /// What the document calls itself; OCI allows to leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// What this index is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Index {
    /// The largest index that is read, in bytes.
    pub const LIMIT: usize = document::MANIFEST_LIMIT;

    /// An OCI index.
    pub fn oci(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::OCI_INDEX),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// Parses an index.
    ///
    /// # Errors
    /// If it is too large, not JSON, or has fields that are missing or of another type.
    ///
    /// ```
    /// let index = oci::Index::parse(br#"{"schemaVersion":2,"manifests":[]}"#)?;
    /// assert!(index.manifests.is_empty());
    /// # Ok::<(), oci::DocumentError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        document::parse("index", bytes, Self::LIMIT)
    }

    /// Holds the index to the rest of the specification. What others wrote is read without it.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`], naming the field.
    pub fn validate(&self) -> Result<(), DocumentError> {
        document::named("index", self.violations())
    }

    fn violations(&self) -> Violations {
        if self.schema_version != 2 {
            let violation = Violation::SchemaVersion(self.schema_version);
            return Err(("schemaVersion".to_owned(), violation));
        }
        if let Some(media_type) = self.media_type.as_ref().filter(|m| !m.is_index()) {
            return Err(("mediaType".to_owned(), Violation::MediaType(media_type.to_string())));
        }
        for (number, manifest) in self.manifests.iter().enumerate() {
            inside(&format!("manifests[{number}]"), manifest.violations())?;
        }
        self.subject.as_ref().map_or(Ok(()), |subject| inside("subject", subject.violations()))
    }

    /// The bytes of the document, as Go tools write it.
    ///
    /// # Errors
    /// Never for an index that was parsed or made of descriptors; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        crate::to_go_json(self)
    }
}
