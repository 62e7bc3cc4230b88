//! An OCI layout on disk as a target: blobs are written beside and renamed, the index last.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use oci::layout::{self, REF_NAME};
use oci::source::{Content, Document, SourceError};
use oci::{Descriptor, Digest};
use transfer::{Cancel, Source as _};

use super::Target;
use crate::error::PushError;
use crate::image::Blob;

/// Why a layout cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    #[error("cannot write the layout")]
    Write(#[from] io::Error),
    #[error(transparent)]
    Layout(layout::LayoutError),
    #[error("cannot read the blob {digest} to write it")]
    Blob { digest: Digest, source: io::Error },
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Read(#[from] SourceError),
}

impl From<layout::LayoutError> for LayoutError {
    fn from(error: layout::LayoutError) -> Self {
        match error {
            layout::LayoutError::Read(error) => Self::Read(error),
            error => Self::Layout(error),
        }
    }
}

/// A layout that is written to.
#[derive(Debug)]
pub(crate) struct Layout(layout::Layout);

impl Layout {
    /// Looks at what is there. Nothing is made yet.
    pub(crate) fn open(path: &Path) -> Result<Self, LayoutError> {
        Ok(Self(layout::Layout::open(path)?))
    }

    fn write_blob(
        &self,
        blob: &Blob,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), LayoutError> {
        let digest = &blob.descriptor.digest;
        let unread = |source| LayoutError::Blob { digest: digest.clone(), source };
        self.0.write(&digest.blob_path(), |file| {
            let mut from = blob.open().map_err(unread)?;
            let mut buffer = vec![0; 128 << 10];
            loop {
                if cancel.is_cancelled() {
                    return Err(LayoutError::Stopped);
                }
                match from.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(got) => {
                        file.write_all(&buffer[..got])?;
                        watch(got as u64);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(unread(error)),
                }
            }
        })
    }

    /// Names a document in the index, in the place of what had the name.
    fn name(&self, name: &str, document: &Document) -> Result<(), LayoutError> {
        self.put(document)?;
        let (media_type, digest) = (document.media_type.clone(), document.digest.clone());
        let entry = Descriptor::new(media_type, digest, document.bytes.len() as u64);
        Ok(self.0.add(entry, Some(name))?)
    }

    fn put(&self, document: &Document) -> Result<(), LayoutError> {
        Ok(self.0.write_bytes(&document.digest.blob_path(), &document.bytes)?)
    }
}

impl Target for Layout {
    fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError> {
        let index = self.0.index()?;
        let named =
            |one: &&Descriptor| one.annotations.get(REF_NAME).is_some_and(|own| own == name);
        let named = index.manifests.iter().find(named).map(|entry| entry.digest.clone());
        let Some(digest) = named.or_else(|| name.parse().ok()) else { return Ok(None) };
        let bytes = self.0.store().read(&digest.blob_path(), oci::Manifest::LIMIT);
        Ok(bytes.map_err(LayoutError::Read)?.filter(|bytes| Digest::of(bytes) == digest))
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, PushError> {
        let found = self.0.store().get(&blob.digest.blob_path()).map_err(LayoutError::Read)?;
        Ok(found.is_some_and(|(_, size)| size == blob.size))
    }

    fn small_blob(&self, blob: &Descriptor, limit: usize) -> Result<Vec<u8>, PushError> {
        let name = blob.digest.blob_path();
        let shown = self.0.store().shown.clone();
        let bytes = self.0.store().read(&name, limit).map_err(LayoutError::Read)?;
        let Some(bytes) = bytes else {
            let digest = blob.digest.clone();
            return Err(SourceError::NoBlob { shown, digest }.into());
        };
        let found = Digest::of(&bytes);
        if found != blob.digest {
            let expected = blob.digest.clone();
            return Err(SourceError::Digest { shown, name, expected, found }.into());
        }
        Ok(bytes)
    }

    fn read_blob(&self, blob: &Descriptor) -> io::Result<Box<dyn io::Read + Send + '_>> {
        let found = self.0.store().get(&blob.digest.blob_path()).map_err(io::Error::other)?;
        let Some((content, _)) = found else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("no blob {}", blob.digest),
            ));
        };
        match content {
            Content::File(path) => Ok(Box::new(fs_err::File::open(path)?)),
            Content::Region(region) => Ok(Box::new(region.reader())),
            Content::Bytes(bytes) => Ok(Box::new(io::Cursor::new(bytes))),
        }
    }

    fn tags(&self) -> Result<Option<Vec<String>>, PushError> {
        let index = self.0.index()?;
        let names = index.manifests.iter().filter_map(|one| one.annotations.get(REF_NAME));
        let names: BTreeSet<_> = names.cloned().collect();
        Ok(Some(names.into_iter().collect()))
    }

    fn put_blob(
        &self,
        blob: &Blob,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), PushError> {
        Ok(self.write_blob(blob, cancel, watch)?)
    }

    fn put_child(&self, document: &Document) -> Result<(), PushError> {
        Ok(self.put(document)?)
    }

    fn put_named(&self, name: &str, document: &Document) -> Result<(), PushError> {
        Ok(self.name(name, document)?)
    }

    fn delete(&self, digest: &Digest) -> Result<bool, PushError> {
        Ok(self.0.remove(digest).map_err(LayoutError::from)?)
    }
}
