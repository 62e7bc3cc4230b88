//! Media types: the grammar of RFC 6838, and the names that images use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a blob or a document is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(std::borrow::Cow<'static, str>);

/// A text is not a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a media type (`type/subtype`, each up to 127 letters, digits or `!#$&^_.+-`)"
)]
pub struct MediaTypeError(String);

macro_rules! known {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl MediaType {
            $($(#[$doc])* pub const $name: Self = Self(std::borrow::Cow::Borrowed($text));)*
        }
    };
}

known! {
    /// OCI image manifest.
    OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    OCI_INDEX = "application/vnd.oci.image.index.v1+json";
    /// OCI image config.
    OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
    /// OCI layer, a plain tar.
    OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
    /// OCI layer, gzip.
    OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// OCI layer, zstd.
    OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// Docker image manifest, schema 2.
    DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image config.
    DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
    /// Docker layer, a plain tar.
    DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
    /// Docker layer, gzip.
    DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    /// Docker layer, zstd.
    DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd";
}

impl MediaType {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names a manifest of one image.
    pub fn is_manifest(&self) -> bool {
        [Self::OCI_MANIFEST, Self::DOCKER_MANIFEST].contains(self)
    }

    /// Whether this names a list of manifests.
    pub fn is_index(&self) -> bool {
        [Self::OCI_INDEX, Self::DOCKER_INDEX].contains(self)
    }

    /// Whether this names a plain tar. Layers of an unknown kind are taken to be compressed.
    pub fn is_plain_layer(&self) -> bool {
        [Self::OCI_LAYER, Self::DOCKER_LAYER].contains(self)
    }

    /// What OCI calls what Docker has another name for.
    #[must_use]
    pub fn in_oci(&self) -> Self {
        let known = [
            (Self::DOCKER_MANIFEST, Self::OCI_MANIFEST),
            (Self::DOCKER_INDEX, Self::OCI_INDEX),
            (Self::DOCKER_CONFIG, Self::OCI_CONFIG),
            (Self::DOCKER_LAYER, Self::OCI_LAYER),
            (Self::DOCKER_LAYER_GZIP, Self::OCI_LAYER_GZIP),
            (Self::DOCKER_LAYER_ZSTD, Self::OCI_LAYER_ZSTD),
        ];
        let found = known.into_iter().find(|(docker, _)| docker == self);
        found.map_or_else(|| self.clone(), |(_, oci)| oci)
    }

    /// Whether this names a layer that is fetched from elsewhere and must not be pushed unasked.
    pub fn is_foreign_layer(&self) -> bool {
        self.0.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.0.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar")
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let is_part = |part: &str| {
            (1..=127).contains(&part.len())
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        match text.split_once('/') {
            Some((kind, subtype)) if is_part(kind) && is_part(subtype) => {
                Ok(Self(text.to_owned().into()))
            }
            _ => Err(MediaTypeError(text.chars().take(300).collect())),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_follow_the_grammar() {
        for known in [MediaType::OCI_MANIFEST, MediaType::DOCKER_INDEX, MediaType::OCI_LAYER_ZSTD] {
            assert_eq!(known.as_str().parse::<MediaType>().unwrap(), known);
        }
        assert!("application".parse::<MediaType>().is_err());
        assert!("a/b; charset=utf-8".parse::<MediaType>().is_err());
    }

    #[test]
    fn foreign_layers_are_told_apart() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        assert!(foreign.parse::<MediaType>().unwrap().is_foreign_layer());
        assert!(!MediaType::DOCKER_LAYER_GZIP.is_foreign_layer());
    }
}
