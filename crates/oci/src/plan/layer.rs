//! The layers of a plan: made by a recipe, or there already.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::layer::LayerRecipe;
use crate::source::{self, Content, SourceError};
use crate::{Digest, MediaType};

/// One layer of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct PlanLayer {
    /// Where it comes from.
    pub source: LayerSource,
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The size of the tar; of a stored layer that of what is stored.
    pub size: u64,
}

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerSource {
    /// It is made.
    Recipe {
        /// How.
        recipe: Arc<LayerRecipe>,
        /// The recipe's name, the same on every machine.
        key: Digest,
    },
    /// It is there: a layer of a base image.
    Stored(StoredLayer),
}

/// A layer that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredLayer {
    /// The archive, the folder of the layout, or the layer itself; absolute.
    pub path: String,
    /// Its name in the archive or layout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What it is.
    pub media_type: MediaType,
    /// The digest of what is stored.
    pub digest: Digest,
}

impl StoredLayer {
    /// Where its bytes are, and how many. They are not compared with the digest.
    ///
    /// # Errors
    /// If they are not there.
    pub fn content(&self) -> Result<(Content, u64), SourceError> {
        source::stored(Path::new(&self.path), self.member.as_deref())
    }
}

impl PlanLayer {
    /// The recipe, unless the layer is stored.
    pub fn recipe(&self) -> Option<&Arc<LayerRecipe>> {
        match &self.source {
            LayerSource::Recipe { recipe, .. } => Some(recipe),
            LayerSource::Stored(_) => None,
        }
    }

    /// The recipe's name, unless the layer is stored.
    pub fn recipe_key(&self) -> Option<&Digest> {
        match &self.source {
            LayerSource::Recipe { key, .. } => Some(key),
            LayerSource::Stored(_) => None,
        }
    }

    /// Whether a recipe is the one of its key.
    pub(super) fn is_consistent(&self) -> bool {
        match &self.source {
            LayerSource::Recipe { recipe, key } => {
                recipe.key(&self.diff_id).is_ok_and(|found| found == *key)
            }
            LayerSource::Stored(_) => true,
        }
    }
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe: Option<Arc<LayerRecipe>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe_key: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored: Option<StoredLayer>,
    diff_id: Digest,
    size: u64,
}

impl TryFrom<Raw> for PlanLayer {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        let source = match (raw.recipe, raw.recipe_key, raw.stored) {
            (Some(recipe), Some(key), None) => LayerSource::Recipe { recipe, key },
            (None, None, Some(stored)) => LayerSource::Stored(stored),
            _ => return Err("a layer has either `recipe` and `recipe_key`, or `stored`"),
        };
        Ok(Self { source, diff_id: raw.diff_id, size: raw.size })
    }
}

impl From<PlanLayer> for Raw {
    fn from(layer: PlanLayer) -> Self {
        let (recipe, recipe_key, stored) = match layer.source {
            LayerSource::Recipe { recipe, key } => (Some(recipe), Some(key), None),
            LayerSource::Stored(stored) => (None, None, Some(stored)),
        };
        Self { recipe, recipe_key, stored, diff_id: layer.diff_id, size: layer.size }
    }
}
