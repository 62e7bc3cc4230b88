//! Pushing: what is missing goes first, the name last.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cli::{Progress, human_bytes};
use serde::Serialize;

use crate::error::PushError;
use crate::image::{Blob, Document, Image};
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

/// How to push.
#[derive(Debug)]
pub(crate) struct Push<'a> {
    pub(crate) image: &'a Image,
    pub(crate) top: &'a Document,
    /// The tags, or the digest, that the image gets.
    pub(crate) names: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) dry_run: bool,
}

impl Push<'_> {
    /// Sends what the target lacks, then the documents, then the names.
    pub(crate) fn run(
        &self,
        target: &dyn Target,
        progress: &Progress,
    ) -> Result<(bool, Count), PushError> {
        let stale = self.stale(target)?;
        if stale.is_empty() {
            return Ok((true, Count::default()));
        }
        let (count, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        transfer::parallel(
            self.jobs,
            &self.image.blobs,
            |blob| blob.descriptor.size,
            |blob, cancel| {
                let size = blob.descriptor.size;
                if target.has(&blob.descriptor)? {
                    progress.add(size);
                    return Ok(());
                }
                if self.dry_run {
                    progress.step(&format!("would send {}", shown(blob)));
                } else {
                    blob.content.prepare()?;
                    target.put_blob(blob, cancel, &|bytes| progress.add(bytes))?;
                    progress.step(&format!("sent {}", shown(blob)));
                }
                count.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(size, Ordering::Relaxed);
                Ok::<(), PushError>(())
            },
        )?;
        if !self.dry_run {
            let children = self.image.documents.iter().filter(|one| one.digest != self.top.digest);
            for child in children {
                target.put_child(child)?;
            }
            for name in stale {
                target.put_named(name, self.top)?;
            }
        }
        Ok((false, Count { count: count.into_inner(), bytes: bytes.into_inner() }))
    }

    /// The names that do not stand for this image yet.
    fn stale(&self, target: &dyn Target) -> Result<Vec<&str>, PushError> {
        let mut stale = Vec::new();
        for name in &self.names {
            if target.current(name)?.is_none_or(|bytes| bytes != self.top.bytes) {
                stale.push(name.as_str());
            }
        }
        Ok(stale)
    }

    /// All blobs of the image.
    pub(crate) fn all(&self) -> Count {
        let blobs = &self.image.blobs;
        Count { count: blobs.len(), bytes: blobs.iter().map(|blob| blob.descriptor.size).sum() }
    }
}

fn shown(blob: &Blob) -> String {
    format!("{} ({})", blob.descriptor.digest, human_bytes(blob.descriptor.size))
}
