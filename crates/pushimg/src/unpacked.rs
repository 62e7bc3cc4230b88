//! An image that has a config and layers, but no manifest yet: a docker archive, or a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use oci::Digest;
use oci::layer::{LayerRecipe, StoreRoot};
use oci::source::{self, Content};

/// An image without a manifest.
#[derive(Debug, Clone)]
pub(crate) struct Unpacked {
    /// How the source is called in messages.
    pub(crate) shown: String,
    /// `api:v1`, if it has a name.
    pub(crate) name: Option<String>,
    /// The config, byte for byte.
    pub(crate) config: Vec<u8>,
    /// What the manifest is annotated with.
    pub(crate) annotations: BTreeMap<String, String>,
    /// The layers, lowest first.
    pub(crate) layers: Vec<Layer>,
}

/// A layer of it.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// What it is called in messages.
    pub(crate) name: String,
    /// The digest that its tar must have.
    pub(crate) diff_id: Digest,
    /// How many bytes are read to make it.
    pub(crate) size: u64,
    /// The name of its recipe, if it has one.
    pub(crate) recipe_key: Option<Digest>,
    pub(crate) tar: Tar,
}

/// Where the tar of a layer comes from.
#[derive(Debug, Clone)]
pub(crate) enum Tar {
    /// It is in an archive, as a tar or compressed.
    Stored(Content),
    /// It is made of store paths.
    Recipe { recipe: Arc<LayerRecipe>, root: StoreRoot },
}

impl From<source::Unpacked> for Unpacked {
    fn from(image: source::Unpacked) -> Self {
        let source::Unpacked { shown, name, config, layers } = image;
        let layer = |layer: source::UnpackedLayer| Layer {
            name: layer.name,
            diff_id: layer.diff_id,
            size: layer.size,
            recipe_key: None,
            tar: Tar::Stored(layer.content),
        };
        let layers = layers.into_iter().map(layer).collect();
        Self { shown, name, config, annotations: BTreeMap::new(), layers }
    }
}
