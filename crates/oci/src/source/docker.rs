//! Docker archives, as `docker save` and dockerTools write them: `manifest.json`, a config, and layers as tars.
//!
//! <https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md>. They hold no manifest.

use serde::Deserialize;

use super::{SourceError, Store, Unpacked, UnpackedLayer};
use crate::ImageConfig;

/// More than this is no list of images.
const MAX_LIST: usize = 4 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Reads the only image of an archive; none if it is no docker archive.
pub(super) fn image(store: &Store) -> Result<Option<Unpacked>, SourceError> {
    let shown = || store.shown.clone();
    let Some(list) = store.read("manifest.json", MAX_LIST)? else { return Ok(None) };
    let list: Vec<Item> = serde_json::from_slice(&list).map_err(|source| SourceError::Json {
        shown: shown(),
        name: "manifest.json",
        source,
    })?;
    let names = || {
        let tags = list.iter().filter_map(|item| item.repo_tags.as_ref()?.first());
        tags.map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ")
    };
    let item = match list.as_slice() {
        [] => return Err(SourceError::NoImage { shown: shown() }),
        [item] => item,
        many => {
            return Err(SourceError::ManyImages {
                shown: shown(),
                count: many.len(),
                names: names(),
            });
        }
    };
    let missing = |name: &str| SourceError::NoEntry { shown: shown(), name: name.to_owned() };
    let config =
        store.read(&item.config, ImageConfig::LIMIT)?.ok_or_else(|| missing(&item.config))?;
    let parsed = ImageConfig::parse(&config).map_err(|source| SourceError::Document {
        shown: shown(),
        name: item.config.clone(),
        source: Box::new(source),
    })?;
    let diff_ids = parsed.rootfs.diff_ids;
    if diff_ids.len() != item.layers.len() {
        let (layers, known) = (item.layers.len(), diff_ids.len());
        return Err(SourceError::Layers { shown: shown(), layers, known });
    }
    let layers = item.layers.iter().zip(diff_ids).map(|(name, diff_id)| {
        let (content, size) = store.get(name)?.ok_or_else(|| missing(name))?;
        Ok(UnpackedLayer { name: name.clone(), diff_id, size, content })
    });
    let name = item.repo_tags.as_ref().and_then(|tags| tags.first()).cloned();
    let shown = shown();
    Ok(Some(Unpacked { shown, name, config, layers: layers.collect::<Result<_, SourceError>>()? }))
}
