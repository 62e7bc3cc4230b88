//! The image that a name stands for now: what of it need not be made again.
//!
//! Its manifest lists blobs, its config lists the digests of their tars in the same order, and every runtime holds the
//! one to the other. So a layer is known by its place. An annotation that says otherwise than its place is not believed;
//! with `--trust-registry` annotations alone are. Whoever may write the tag may replace the image, so nobody is believed
//! who could not do harm without it; other tags and repositories are not looked at.

use std::collections::BTreeMap;

use oci::pack::{CODEC_ANNOTATION, DIFF_ID_ANNOTATION};
use oci::{Descriptor, Digest, ImageConfig, Manifest, MediaType};

use crate::target::Target;

/// An image that has the name now.
#[derive(Debug)]
pub(crate) struct Former {
    bytes: Vec<u8>,
    manifest: Manifest,
}

impl Former {
    /// The image of these manifest bytes; none if they are an index, or nothing that can be read.
    pub(crate) fn of(bytes: Vec<u8>) -> Option<Self> {
        let manifest = Manifest::parse(&bytes).ok()?;
        manifest.validate().ok()?;
        Some(Self { bytes, manifest })
    }

    /// Its manifest.
    pub(crate) fn into_document(self) -> oci::source::Document {
        let media_type = self.manifest.media_type.unwrap_or(MediaType::OCI_MANIFEST);
        oci::source::Document::new(media_type, self.bytes)
    }

    /// Whether its config is this one.
    pub(crate) fn has_config(&self, config: &Descriptor) -> bool {
        self.manifest.config.digest == config.digest
    }

    /// Whether a layer says what codec made it.
    pub(crate) fn is_annotated(&self) -> bool {
        self.manifest.layers.iter().any(|layer| layer.annotations.contains_key(CODEC_ANNOTATION))
    }

    /// Its layers, by the digests of their tars.
    pub(crate) fn layers(&self, at: &dyn Target, trusted: bool) -> BTreeMap<Digest, Descriptor> {
        let claimed = |layer: &Descriptor| {
            layer.annotations.get(DIFF_ID_ANNOTATION).and_then(|text| text.parse::<Digest>().ok())
        };
        if trusted {
            let layers = self.manifest.layers.iter();
            let known = layers.filter_map(|layer| Some((claimed(layer)?, layer.clone())));
            return known.collect();
        }
        if self.manifest.config.size > ImageConfig::LIMIT as u64 {
            return BTreeMap::new();
        }
        let Ok(config) = at.small_blob(&self.manifest.config, ImageConfig::LIMIT) else {
            // A config that is not there helps nobody; what is really wrong is told by the push itself.
            return BTreeMap::new();
        };
        let Ok(config) = ImageConfig::parse(&config) else { return BTreeMap::new() };
        let diff_ids = config.rootfs.diff_ids;
        if diff_ids.len() != self.manifest.layers.len() {
            return BTreeMap::new();
        }
        let pairs = diff_ids.into_iter().zip(&self.manifest.layers);
        let honest = pairs.filter(|(diff_id, layer)| {
            !layer.annotations.contains_key(DIFF_ID_ANNOTATION)
                || claimed(layer).as_ref() == Some(diff_id)
        });
        honest.map(|(diff_id, layer)| (diff_id, layer.clone())).collect()
    }
}
