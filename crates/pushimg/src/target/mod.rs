//! Where an image is pushed to: a repository of a registry, or a layout on disk.

mod layout;

use std::io::{self, Read};

use oci::source::Document;
use oci::{Descriptor, Digest};
use transfer::Cancel;

pub(crate) use layout::{Layout, LayoutError};

use crate::error::PushError;
use crate::image::Blob;
use crate::registry::Repository;

/// A place that takes blobs and documents, and gives documents names.
pub(crate) trait Target: Send + Sync + std::fmt::Debug {
    /// The bytes of what a name stands for now; none if that cannot be said.
    fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError>;

    /// Whether a blob is there.
    fn has(&self, blob: &Descriptor) -> Result<bool, PushError>;

    /// A blob that fits in memory.
    fn small_blob(&self, blob: &Descriptor, limit: usize) -> Result<Vec<u8>, PushError>;

    /// A blob as a stream, which is not held to its digest.
    fn read_blob(&self, blob: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>>;

    /// The names that are there, sorted; none if it is not known.
    fn tags(&self) -> Result<Option<Vec<String>>, PushError>;

    /// Takes a blob in.
    fn put_blob(
        &self,
        blob: &Blob,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), PushError>;

    /// Takes a document in that others will name by its digest.
    fn put_child(&self, document: &Document) -> Result<(), PushError>;

    /// Takes a document in and gives it a name.
    fn put_named(&self, name: &str, document: &Document) -> Result<(), PushError>;

    /// Takes a document away, with all its names; says whether there was one.
    fn delete(&self, digest: &Digest) -> Result<bool, PushError>;

    /// Gives up what has begun, after an interruption.
    fn clean_up(&self) {}

    /// The repository, if it is one.
    fn repository(&self) -> Option<&Repository> {
        None
    }
}

impl Target for Repository {
    fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError> {
        Ok(self.manifest(name)?.map(|found| found.bytes))
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, PushError> {
        Ok(self.has_blob(blob)?)
    }

    fn small_blob(&self, blob: &Descriptor, limit: usize) -> Result<Vec<u8>, PushError> {
        Ok(self.fetch_blob(blob, limit)?)
    }

    fn read_blob(&self, blob: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.blob_reader(blob)))
    }

    fn tags(&self) -> Result<Option<Vec<String>>, PushError> {
        Ok(self.list_tags()?)
    }

    fn put_blob(
        &self,
        blob: &Blob,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), PushError> {
        Ok(self.push_blob(&blob.descriptor, blob, cancel, watch)?)
    }

    fn put_child(&self, document: &Document) -> Result<(), PushError> {
        Ok(self.put_manifest(document.digest.as_str(), &document.media_type, &document.bytes)?)
    }

    fn put_named(&self, name: &str, document: &Document) -> Result<(), PushError> {
        Ok(self.put_manifest(name, &document.media_type, &document.bytes)?)
    }

    fn delete(&self, digest: &Digest) -> Result<bool, PushError> {
        Ok(self.delete_manifest(digest)?)
    }

    fn clean_up(&self) {
        // The uploads run out by themselves if this fails, too.
        let _left_behind = Self::clean_up(self);
    }

    fn repository(&self) -> Option<&Repository> {
        Some(self)
    }
}
