//! Drafts: everything about an image but the digests of its layers.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Plan, PlanLayer, VERSION};
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
    /// The config; its layers and their history are filled in.
    pub config: ImageConfig,
    /// The layers, lowest first.
    pub layers: Vec<DraftLayer>,
}

/// One layer of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftLayer {
    /// How it is made.
    pub recipe: Arc<LayerRecipe>,
    /// What the config says of it.
    pub history: History,
}

impl Draft {
    /// Makes every layer to learn what it is, several at a time. `progress` is told of the bytes.
    ///
    /// # Errors
    /// Every [`LayerError`]; of several, that of the lowest layer.
    pub fn measure(
        &self,
        root: &StoreRoot,
        jobs: NonZeroUsize,
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
                let measured = Arc::clone(&layer.recipe).make(root, &mut each);
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
        config.history = self.layers.iter().map(|layer| layer.history.clone()).collect();
        let mut layers = Vec::with_capacity(measured.len());
        for (layer, Measured { diff_id, size }) in self.layers.into_iter().zip(measured) {
            let recipe_key = layer.recipe.key(&diff_id)?;
            layers.push(PlanLayer { recipe: layer.recipe, recipe_key, diff_id, size });
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
