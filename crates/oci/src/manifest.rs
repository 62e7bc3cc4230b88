//! Manifests: the config and the layers of one image, OCI's and Docker's (schema 2), which share a shape.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md>. Docker's schema 1 is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{self, DocumentError, Violation, Violations, inside};
use crate::{Descriptor, MediaType};

/// The manifest of one image.
///
/// A manifest that is passed on must stay the bytes it was: its digest is its name. This type is for
/// looking into one, and for writing a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// What the document calls itself; OCI allows to leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The config blob.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// What this manifest is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Manifest {
    /// The largest manifest that is read, in bytes.
    pub const LIMIT: usize = document::MANIFEST_LIMIT;

    /// An OCI manifest.
    pub fn oci(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self::new(MediaType::OCI_MANIFEST, config, layers)
    }

    /// A Docker manifest, schema 2.
    pub fn docker(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self::new(MediaType::DOCKER_MANIFEST, config, layers)
    }

    fn new(media_type: MediaType, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// If it is too large, not JSON, or has fields that are missing or of another type.
    ///
    /// ```
    /// let text = br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,
    ///     "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;
    /// let manifest = oci::Manifest::parse(text)?;
    /// assert!(manifest.validate().is_err(), "an image has a layer");
    /// # Ok::<(), oci::DocumentError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        document::parse("manifest", bytes, Self::LIMIT)
    }

    /// Holds the manifest to the rest of the specification. What others wrote is read without it.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`], naming the field.
    pub fn validate(&self) -> Result<(), DocumentError> {
        document::named("manifest", self.violations())
    }

    fn violations(&self) -> Violations {
        if self.schema_version != 2 {
            let violation = Violation::SchemaVersion(self.schema_version);
            return Err(("schemaVersion".to_owned(), violation));
        }
        if let Some(media_type) = self.media_type.as_ref().filter(|m| !m.is_manifest()) {
            return Err(("mediaType".to_owned(), Violation::MediaType(media_type.to_string())));
        }
        inside("config", self.config.violations())?;
        if self.layers.is_empty() {
            return Err(("layers".to_owned(), Violation::NoLayers));
        }
        for (number, layer) in self.layers.iter().enumerate() {
            inside(&format!("layers[{number}]"), layer.violations())?;
        }
        self.subject.as_ref().map_or(Ok(()), |subject| inside("subject", subject.violations()))
    }

    /// The bytes of the document, as Go tools write it.
    ///
    /// # Errors
    /// Never for a manifest that was parsed or made of descriptors; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        crate::to_go_json(self)
    }
}
