//! Pushing: what is missing goes first, the name last.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use cli::{Progress, human_bytes};
use oci::Digest;
use serde::Serialize;
use transfer::Cancel;

use crate::error::PushError;
use crate::image::{Blob, Image};
use crate::pack::Parts;
use crate::target::Target;

/// What a push did, or would do.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) digest: String,
    pub(crate) reference: String,
    pub(crate) tags: Vec<String>,
    #[serde(rename = "mediaType")]
    pub(crate) media_type: String,
    /// Whether nothing had to be done.
    pub(crate) unchanged: bool,
    #[serde(rename = "dryRun")]
    pub(crate) dry_run: bool,
    pub(crate) blobs: Count,
    pub(crate) sent: Count,
}

/// Blobs and their bytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Count {
    pub(crate) count: usize,
    pub(crate) bytes: u64,
}

/// Sends blobs to a target, each of them once, and counts.
pub(crate) struct Sender<'a> {
    target: &'a dyn Target,
    progress: &'a Progress,
    jobs: usize,
    dry_run: bool,
    /// What is there, or has been sent.
    there: Mutex<BTreeSet<Digest>>,
    count: AtomicUsize,
    bytes: AtomicU64,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        target: &'a dyn Target,
        progress: &'a Progress,
        jobs: usize,
        dry_run: bool,
    ) -> Self {
        let there = Mutex::default();
        let (count, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { target, progress, jobs, dry_run, there, count, bytes }
    }

    /// Makes layers whose blobs nobody knows yet, and sends each while the next one is made.
    ///
    /// They are made one after another, each with all processors, on this thread alone: what several layers at once
    /// would hold in memory is more than they gain.
    pub(crate) fn send_unmade(&self, parts: &mut Parts) -> Result<(), PushError> {
        let mut layers = parts.unmade();
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
        let (feed, work) = mpsc::channel::<Blob>();
        let (work, cancel, failed) = (Mutex::new(work), Cancel::new(), Mutex::new(None));
        let fail = |error| {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            cancel.cancel();
        };
        let mut made = Vec::with_capacity(layers.len());
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(layers.len()) {
                scope.spawn(|| {
                    while let Some(blob) = next(&work) {
                        if let Err(error) = self.send(&blob, &cancel) {
                            return fail(error);
                        }
                    }
                });
            }
            for layer in layers.iter().take_while(|_| !cancel.is_cancelled()) {
                match parts.make(layer) {
                    Ok(blob) => {
                        made.push(blob.clone());
                        // Nobody takes it when all others have failed.
                        drop(feed.send(blob));
                    }
                    Err(error) => fail(error.into()),
                }
            }
            drop(feed);
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        parts.made(&layers, &made);
        Ok(())
    }

    /// Sends what the target lacks, then the documents, then the names. Says whether there was anything to do.
    pub(crate) fn push(&self, image: &Image, names: &[String]) -> Result<bool, PushError> {
        let Some(top) = image.top() else { return Ok(false) };
        let mut stale = Vec::new();
        for name in names {
            if self.target.current(name)?.is_none_or(|bytes| bytes != top.bytes) {
                stale.push(name);
            }
        }
        if stale.is_empty() {
            return Ok(false);
        }
        transfer::parallel(
            self.jobs,
            &image.blobs,
            |blob| blob.descriptor.size,
            |blob, cancel| self.send(blob, cancel),
        )?;
        if !self.dry_run {
            for child in image.documents.iter().filter(|one| one.digest != top.digest) {
                self.target.put_child(child)?;
            }
            for name in stale {
                self.target.put_named(name, top)?;
            }
        }
        Ok(true)
    }

    fn send(&self, blob: &Blob, cancel: &Cancel) -> Result<(), PushError> {
        let (digest, size) = (&blob.descriptor.digest, blob.descriptor.size);
        if !self.lock().insert(digest.clone()) {
            return Ok(());
        }
        if self.target.has(&blob.descriptor)? {
            self.progress.add(size);
            return Ok(());
        }
        let shown = format!("{digest} ({})", human_bytes(size));
        if self.dry_run {
            self.progress.step(&format!("would send {shown}"));
        } else {
            blob.content.prepare()?;
            self.target.put_blob(blob, cancel, &|bytes| self.progress.add(bytes))?;
            self.progress.step(&format!("sent {shown}"));
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was sent, or would have been.
    pub(crate) fn sent(&self) -> Count {
        let count = self.count.load(Ordering::Relaxed);
        Count { count, bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// The next blob to send; none when there will be no more.
fn next(work: &Mutex<mpsc::Receiver<Blob>>) -> Option<Blob> {
    work.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Count {
    /// All blobs of an image.
    pub(crate) fn all(image: &Image) -> Self {
        let blobs = &image.blobs;
        Self { count: blobs.len(), bytes: blobs.iter().map(|blob| blob.descriptor.size).sum() }
    }
}
