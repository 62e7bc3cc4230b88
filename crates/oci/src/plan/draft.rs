//! Drafts: everything about an image but the digests of its layers.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{LayerSource, Plan, PlanLayer, StoredLayer, VERSION};
use crate::cache::Cache;
use crate::layer::{LayerError, LayerRecipe, Measured, StoreRoot};
use crate::{Digest, History, ImageConfig, Reference, RootFs};

/// How many characters of the config's digest are the tag of an image that was given none: as many as the
/// hash in a store path has.
const TAG_LENGTH: usize = 32;

/// An image whose layers nobody has read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The repository.
    pub name: Option<Reference>,
    /// The tag; none for one that is made of the config's digest.
    pub tag: Option<String>,
    /// What the manifest will be annotated with.
    pub annotations: BTreeMap<String, String>,
    /// The config; the digests of the layers are filled in, and what the layers say of themselves comes behind the
    /// history that is there.
    pub config: ImageConfig,
    /// The layers, lowest first.
    pub layers: Vec<DraftLayer>,
}

/// One layer of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftLayer {
    /// Where it comes from.
    pub source: DraftSource,
    /// What the config says of it; nothing if the history of a base image does.
    pub history: Option<History>,
}

/// Where a layer of a draft comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftSource {
    /// It is made.
    Recipe(Arc<LayerRecipe>),
    /// It is there.
    Stored {
        /// Where.
        stored: StoredLayer,
        /// What its tar is, and how many bytes are stored.
        measured: Measured,
    },
}

impl DraftLayer {
    /// A layer that is made.
    pub fn new(recipe: LayerRecipe, history: History) -> Self {
        Self { source: DraftSource::Recipe(Arc::new(recipe)), history: Some(history) }
    }

    /// The recipe, unless the layer is stored.
    pub fn recipe(&self) -> Option<&Arc<LayerRecipe>> {
        match &self.source {
            DraftSource::Recipe(recipe) => Some(recipe),
            DraftSource::Stored { .. } => None,
        }
    }
}

impl Draft {
    /// Makes every layer to learn what it is, several at a time, unless the cache knows. `progress` is told of the bytes.
    ///
    /// # Errors
    /// Every [`LayerError`]; of several, that of the lowest layer.
    pub fn measure(
        &self,
        root: &StoreRoot,
        jobs: NonZeroUsize,
        cache: Option<&Cache>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Measured>, LayerError> {
        let next = AtomicUsize::new(0);
        let results: Vec<_> = self.layers.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            while let Some((layer, slot)) = take(&next, &self.layers, &results) {
                let mut each = |chunk: &[u8]| {
                    progress(chunk.len() as u64);
                    Ok(())
                };
                let measured = match &layer.source {
                    DraftSource::Recipe(recipe) => {
                        Arc::clone(recipe).make_cached(root, cache, &mut each)
                    }
                    DraftSource::Stored { measured, .. } => Ok(measured.clone()),
                };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(measured);
            }
        };
        std::thread::scope(|scope| {
            // This thread is one of them, so a machine that has no more threads is only slower.
            for _ in 1..jobs.get().min(self.layers.len()) {
                drop(std::thread::Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        let taken = results
            .into_iter()
            .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
        taken.map(|result| result.unwrap_or(Err(LayerError::Stopped))).collect()
    }

    /// The plan, once it is known what each layer is.
    ///
    /// # Errors
    /// Never; the signature is serde's.
    pub fn finish(self, measured: Vec<Measured>) -> Result<Plan, serde_json::Error> {
        let mut config = self.config;
        config.rootfs = RootFs::layers(measured.iter().map(|m| m.diff_id.clone()).collect());
        config.history.extend(self.layers.iter().filter_map(|layer| layer.history.clone()));
        let mut layers = Vec::with_capacity(measured.len());
        for (layer, Measured { diff_id, size }) in self.layers.into_iter().zip(measured) {
            let source = match layer.source {
                DraftSource::Recipe(recipe) => {
                    let key = recipe.key(&diff_id)?;
                    LayerSource::Recipe { recipe, key }
                }
                DraftSource::Stored { stored, .. } => LayerSource::Stored(stored),
            };
            layers.push(PlanLayer { source, diff_id, size });
        }
        let tag = match self.tag {
            Some(tag) => tag,
            None => Digest::of(config.to_bytes()?).encoded()[..TAG_LENGTH].to_owned(),
        };
        let (name, annotations) = (self.name, self.annotations);
        Ok(Plan { version: VERSION, name, tag, annotations, config, layers })
    }
}

/// The next layer that nobody works on, and where its result goes.
fn take<'a, T, R>(next: &AtomicUsize, work: &'a [T], results: &'a [R]) -> Option<(&'a T, &'a R)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    work.get(at).zip(results.get(at))
}
