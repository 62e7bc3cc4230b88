//! Where an image is pushed to: a repository of a registry, or a layout on disk.

mod layout;

use oci::Descriptor;
use oci::source::Document;
use transfer::Cancel;

pub(crate) use layout::{Layout, LayoutError};

use crate::error::PushError;
use crate::image::Blob;
use crate::registry::Repository;

/// A place that takes blobs and documents, and gives documents names.
pub(crate) trait Target: Sync {
    /// The bytes of what a name stands for now; none if that cannot be said.
    fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError>;

    /// Whether a blob is there.
    fn has(&self, blob: &Descriptor) -> Result<bool, PushError>;

    /// A blob that fits in memory.
    fn small_blob(&self, blob: &Descriptor, limit: usize) -> Result<Vec<u8>, PushError>;

    /// The names that are there, sorted.
    fn tags(&self) -> Result<Vec<String>, PushError>;

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

    fn tags(&self) -> Result<Vec<String>, PushError> {
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
}
