//! Plans of `ociimg build`: a config, and for each layer the recipe that makes it.

use oci::layer::StoreRoot;
use oci::plan::{LayerSource, Plan};
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
    let layers = plan.layers.into_iter().enumerate().map(|(number, layer)| {
        let (recipe_key, tar) = match layer.source {
            LayerSource::Recipe { recipe, key } => {
                (Some(key), Tar::Recipe { recipe, root: root.clone() })
            }
            LayerSource::Stored(stored) => (None, Tar::Stored(stored.content()?.0)),
        };
        let (name, diff_id) = (format!("layers[{number}]"), layer.diff_id);
        Ok(Layer { name, diff_id, size: layer.size, recipe_key, tar })
    });
    let layers = layers.collect::<Result<_, SourceError>>()?;
    Ok(Unpacked { shown: shown.to_owned(), name, config, annotations: plan.annotations, layers })
}
