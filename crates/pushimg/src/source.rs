//! Plans of `ociimg build`: a config, and for each layer the recipe that makes it.

use std::sync::Arc;

use oci::layer::StoreRoot;
use oci::plan::Plan;
use oci::source::SourceError;

use crate::unpacked::{Layer, Tar, Unpacked};

/// Reads a plan; its paths are looked for below `root`.
pub(crate) fn read(shown: &str, bytes: &[u8], root: &StoreRoot) -> Result<Unpacked, SourceError> {
    let plan = Plan::parse(bytes).map_err(|source| SourceError::Plan {
        shown: shown.to_owned(),
        source: Box::new(source),
    })?;
    let config = plan.config.to_bytes().map_err(|source| SourceError::Json {
        shown: shown.to_owned(),
        name: "config",
        source,
    })?;
    let name = plan.reference().map(|reference| reference.to_string());
    let layers = plan.layers.into_iter().enumerate().map(|(number, layer)| Layer {
        name: format!("layers[{number}]"),
        diff_id: layer.diff_id,
        size: layer.size,
        recipe_key: Some(layer.recipe_key),
        tar: Tar::Recipe { recipe: Arc::clone(&layer.recipe), root: root.clone() },
    });
    let layers = layers.collect();
    Ok(Unpacked { shown: shown.to_owned(), name, config, annotations: plan.annotations, layers })
}
