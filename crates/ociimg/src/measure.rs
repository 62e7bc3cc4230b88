//! Making layers only to learn what they are, several at a time.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use oci::layer::{LayerError, LayerRecipe, Measured, StoreRoot};

/// Measures every layer. Of several errors the one of the lowest layer is told.
pub(crate) fn measure(
    layers: &[Arc<LayerRecipe>],
    root: &StoreRoot,
) -> Result<Vec<Measured>, LayerError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((0..layers.len()).map(|_| None).collect::<Vec<_>>());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(layer) = layers.get(at) else { return };
            let measured = Arc::clone(layer).measure(root);
            done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(measured);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(layers.len());
    thread::scope(|scope| {
        // This thread is one of them, so a machine out of threads is only slower.
        let helpers: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        work();
        drop(helpers);
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().map(|measured| measured.unwrap_or(Err(LayerError::Stopped))).collect()
}
