//! Plans: an image as a few kilobytes of JSON, from which its bytes can be made wherever its store paths are.
//!
//! The document is an object whose first key, `ociimg_plan`, is the version of its schema, today 1. It is
//! read strictly: an unknown field is an error that names it, and so is a plan whose parts disagree.

mod draft;
mod layer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use draft::{Draft, DraftLayer, DraftSource};
pub use layer::{LayerSource, PlanLayer, StoredLayer};

use crate::{DocumentError, ImageConfig, Reference, ReferenceError};

/// The schema that is written and read.
const VERSION: u64 = 1;

/// An image that can be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[serde(rename = "ociimg_plan")]
    version: u64,
    /// The repository, with the registry's host if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Reference>,
    /// The tag.
    pub tag: String,
    /// What the manifest will be annotated with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The config blob.
    pub config: ImageConfig,
    /// The layers, lowest first.
    pub layers: Vec<PlanLayer>,
}

/// A plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Larger than any plan.
    #[error("plan is {size} bytes long but must be at most {limit}", limit = Plan::LIMIT)]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// Not JSON.
    #[error("plan is not JSON")]
    Syntax {
        /// Where and why.
        source: serde_json::Error,
    },
    /// Another kind of document.
    #[error("document has no `ociimg_plan`, so it is not an image plan")]
    NotAPlan,
    /// Written by a newer version.
    #[error("plan has version {0} but this program reads version 1")]
    Version(u64),
    /// A field is unknown, missing or of another type.
    #[error("plan cannot be read at `{path}`")]
    Field {
        /// Which field.
        path: String,
        /// In which way.
        source: serde_json::Error,
    },
    /// The name has a tag or a digest in it.
    #[error("plan has the name `{0}`, which must have neither tag nor digest")]
    Name(Reference),
    /// The tag breaks the grammar.
    #[error("plan has a tag that cannot be used")]
    Tag {
        /// Why.
        source: ReferenceError,
    },
    /// The config breaks the specification.
    #[error("plan has a config that cannot be used")]
    Config {
        /// Why.
        source: DocumentError,
    },
    /// The config and the layers disagree.
    #[error("plan has other digests in `config.rootfs.diff_ids` than in `layers`")]
    DiffIds,
    /// A recipe and its key disagree.
    #[error("plan has a recipe in `layers[{layer}]` that is not the one of its `recipe_key`")]
    Key {
        /// Which layer.
        layer: usize,
    },
}

impl Plan {
    /// The largest plan that is read, in bytes.
    pub const LIMIT: usize = 64 << 20;

    /// Reads a plan.
    ///
    /// # Errors
    /// Every [`PlanError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanError> {
        #[derive(Deserialize)]
        struct Probe {
            ociimg_plan: Option<serde_json::Value>,
        }
        if bytes.len() > Self::LIMIT {
            return Err(PlanError::TooLarge { size: bytes.len() });
        }
        let probe: Probe =
            serde_json::from_slice(bytes).map_err(|source| PlanError::Syntax { source })?;
        match probe.ociimg_plan.ok_or(PlanError::NotAPlan)?.as_u64() {
            None | Some(VERSION) => {}
            Some(version) => return Err(PlanError::Version(version)),
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let plan: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            PlanError::Field { path, source: error.into_inner() }
        })?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), PlanError> {
        if let Some(name) = &self.name {
            if name.tag().is_some() || name.digest().is_some() {
                return Err(PlanError::Name(name.clone()));
            }
            name.clone().with_tag(&self.tag).map_err(|source| PlanError::Tag { source })?;
        }
        self.config.validate().map_err(|source| PlanError::Config { source })?;
        if !self.config.rootfs.diff_ids.iter().eq(self.layers.iter().map(|layer| &layer.diff_id)) {
            return Err(PlanError::DiffIds);
        }
        for (number, layer) in self.layers.iter().enumerate() {
            if !layer.is_consistent() {
                return Err(PlanError::Key { layer: number });
            }
        }
        Ok(())
    }

    /// The document, indented, with a line feed at its end.
    ///
    /// # Errors
    /// Never; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut out = serde_json::to_vec_pretty(self)?;
        out.push(b'\n');
        Ok(out)
    }

    /// The name with the tag; none without a name.
    pub fn reference(&self) -> Option<Reference> {
        self.name.clone()?.with_tag(&self.tag).ok()
    }
}

#[cfg(test)]
mod tests;
