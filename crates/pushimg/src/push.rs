//! Pushing: what is missing goes first, the name last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use cli::human_bytes;
use oci::Digest;
use oci::source::Document;
use serde::Serialize;
use serde_json::json;
use transfer::Cancel;

use crate::error::PushError;
use crate::image::{Blob, Image};
use crate::meter::Meter;
use crate::pack::Parts;
use crate::stream;
use crate::target::Target;

/// How often a manifest is put whose blobs the registry misses, although it took them.
const TRIES: usize = 3;

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
    meter: &'a Meter,
    /// What stops everything.
    cancel: &'a Cancel,
    jobs: usize,
    dry_run: bool,
    /// Whether layers go that are to be fetched from elsewhere.
    foreign: bool,
    /// What is there, or has been sent.
    there: Mutex<BTreeSet<Digest>>,
    /// What names stand for, as far as it was asked.
    current: Mutex<BTreeMap<String, Option<Vec<u8>>>>,
    count: AtomicUsize,
    bytes: AtomicU64,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        target: &'a dyn Target,
        meter: &'a Meter,
        cancel: &'a Cancel,
        jobs: usize,
    ) -> Self {
        Self {
            target,
            meter,
            cancel,
            jobs,
            dry_run: false,
            foreign: false,
            there: Mutex::default(),
            current: Mutex::default(),
            count: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Says what would be sent, and sends nothing.
    #[must_use]
    pub(crate) fn dry(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sends layers, too, that are to be fetched from elsewhere.
    #[must_use]
    pub(crate) fn with_foreign(mut self, foreign: bool) -> Self {
        self.foreign = foreign;
        self
    }

    /// What a name stands for now; asked once.
    pub(crate) fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError> {
        if let Some(known) = lock(&self.current).get(name) {
            return Ok(known.clone());
        }
        let found = self.target.current(name)?;
        lock(&self.current).insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// Makes layers whose blobs nobody knows yet, and sends each while the next one is made.
    ///
    /// They are made one after another, each with all processors, on this thread alone: what several layers at once
    /// would hold in memory is more than they gain.
    pub(crate) fn send_unmade(&self, parts: &mut Parts) -> Result<(), PushError> {
        let mut layers = parts.unmade();
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
        let (feed, work) = mpsc::channel::<Blob>();
        let (work, failed) = (Mutex::new(work), Mutex::new(None));
        let fail = |error| {
            lock(&failed).get_or_insert(error);
            self.cancel.cancel();
        };
        let mut made = Vec::with_capacity(layers.len());
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(layers.len()) {
                scope.spawn(|| {
                    while let Some(blob) = next(&work) {
                        if let Err(error) = self.send(&blob, self.cancel) {
                            return fail(error);
                        }
                    }
                });
            }
            for layer in layers.iter().take_while(|_| !self.cancel.is_cancelled()) {
                match parts.make(layer) {
                    Ok(blob) => {
                        made.push(blob.clone());
                        self.meter.expect(blob.descriptor.size);
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
        self.stopped()?;
        parts.made(&layers, &made);
        Ok(())
    }

    /// The same, with nothing kept on disk: each layer is sent while it is compressed, one after another.
    pub(crate) fn stream_unmade(&self, parts: &mut Parts) -> Result<(), PushError> {
        let Some(repository) = self.target.repository() else { return self.send_unmade(parts) };
        let layers = parts.unmade();
        let mut made = Vec::with_capacity(layers.len());
        for layer in &layers {
            let compressed =
                stream::send(repository, parts.maker(), layer, self.cancel, self.meter)?;
            let blob = parts.there(layer, &compressed);
            self.sent_one(&blob);
            lock(&self.there).insert(blob.descriptor.digest.clone());
            made.push(blob);
        }
        parts.made(&layers, &made);
        Ok(())
    }

    /// Sends what the target lacks, then the documents, then the names. Says whether there was anything to do.
    pub(crate) fn push(&self, image: &Image, names: &[String]) -> Result<bool, PushError> {
        let Some(top) = image.top() else { return Ok(false) };
        let mut stale = Vec::new();
        for name in names {
            if self.current(name)?.is_none_or(|bytes| bytes != top.bytes) {
                stale.push(name);
            }
        }
        if stale.is_empty() {
            // A folder does not hold its index to its blobs as a registry does, and looking costs nothing.
            let damaged = self.target.repository().is_none() && self.misses_any(image)?;
            if damaged {
                self.send_all(image)?;
            }
            return Ok(damaged);
        }
        self.send_all(image)?;
        if !self.dry_run {
            for child in image.documents.iter().filter(|one| one.digest != top.digest) {
                self.put(image, || self.target.put_child(child))?;
            }
            for name in stale {
                self.put(image, || self.target.put_named(name, top))?;
            }
        }
        Ok(true)
    }

    /// Sends an image that will be named by another document: blobs and documents, no name.
    pub(crate) fn push_child(&self, image: &Image) -> Result<(), PushError> {
        self.send_all(image)?;
        for document in image.documents.iter().filter(|_| !self.dry_run) {
            self.put(image, || self.target.put_child(document))?;
        }
        Ok(())
    }

    /// Names a document whose children are there.
    pub(crate) fn put_named(&self, name: &str, document: &Document) -> Result<bool, PushError> {
        if self.current(name)?.is_some_and(|bytes| bytes == document.bytes) {
            return Ok(false);
        }
        if !self.dry_run {
            self.stopped()?;
            self.target.put_named(name, document)?;
        }
        Ok(true)
    }

    fn misses_any(&self, image: &Image) -> Result<bool, PushError> {
        for blob in &image.blobs {
            let wanted = self.foreign || !blob.descriptor.media_type.is_foreign_layer();
            if wanted && !self.target.has(&blob.descriptor)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn send_all(&self, image: &Image) -> Result<(), PushError> {
        let wanted = |blob: &&Blob| self.foreign || !blob.descriptor.media_type.is_foreign_layer();
        let blobs: Vec<&Blob> = image.blobs.iter().filter(wanted).collect();
        transfer::parallel_until(
            self.cancel,
            self.jobs,
            &blobs,
            |blob| blob.descriptor.size,
            |blob, cancel| self.send(blob, cancel),
        )?;
        self.stopped()
    }

    /// Puts a document. A registry that then misses a blob is asked for all of them again.
    fn put(&self, image: &Image, put: impl Fn() -> Result<(), PushError>) -> Result<(), PushError> {
        for _ in 1..TRIES {
            self.stopped()?;
            match put() {
                Err(PushError::Registry(error)) if error.is_missing_blob() => {
                    self.meter.step(&format!("{}; looking for what is missing", error.chain()));
                    lock(&self.there).clear();
                    self.send_all(image)?;
                }
                done => return done,
            }
        }
        self.stopped()?;
        put()
    }

    /// The error of a run that was stopped from outside.
    fn stopped(&self) -> Result<(), PushError> {
        if self.cancel.is_cancelled() { Err(PushError::Stopped) } else { Ok(()) }
    }

    fn send(&self, blob: &Blob, cancel: &Cancel) -> Result<(), PushError> {
        let (digest, size) = (&blob.descriptor.digest, blob.descriptor.size);
        if !lock(&self.there).insert(digest.clone()) {
            return Ok(());
        }
        if self.target.has(&blob.descriptor)? {
            self.meter.add(size);
            return Ok(());
        }
        if self.dry_run {
            let line = format!("would send {digest} ({})", human_bytes(size));
            self.meter.tell(&line, &json!({"type": "wouldSend", "digest": digest, "size": size}));
            self.count.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(size, Ordering::Relaxed);
            return Ok(());
        }
        blob.content.prepare()?;
        self.target.put_blob(blob, cancel, &|bytes| self.meter.add(bytes))?;
        self.sent_one(blob);
        Ok(())
    }

    fn sent_one(&self, blob: &Blob) {
        let (digest, size) = (&blob.descriptor.digest, blob.descriptor.size);
        let line = format!("sent {digest} ({})", human_bytes(size));
        self.meter.tell(&line, &json!({"type": "sent", "digest": digest, "size": size}));
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
    }

    /// What is at the target now, as far as it was looked for.
    pub(crate) fn there(&self) -> BTreeSet<Digest> {
        lock(&self.there).clone()
    }

    /// What was sent, or would have been.
    pub(crate) fn sent(&self) -> Count {
        let count = self.count.load(Ordering::Relaxed);
        Count { count, bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// The next blob to send; none when there will be no more.
fn next(work: &Mutex<mpsc::Receiver<Blob>>) -> Option<Blob> {
    lock(work).recv().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Count {
    /// The blobs of an image.
    pub(crate) fn all(image: &Image) -> Self {
        let bytes = image.blobs.iter().map(|blob| blob.descriptor.size).sum();
        Self { count: image.blobs.len(), bytes }
    }
}
