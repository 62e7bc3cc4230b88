//! An OCI layout on disk as a target: blobs are written beside and renamed, the index last.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use oci::layout::REF_NAME;
use oci::{Descriptor, Digest, Index};
use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;
use transfer::{Cancel, Source as _};

use super::Target;
use crate::error::PushError;
use crate::image::{Blob, Document};
use crate::source::{SourceError, Store, layout_index};

/// What temporary files are named.
const PREFIX: &str = ".pushimg-";
const MARK: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// Why a layout cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    #[error("cannot write the layout")]
    Write(#[source] io::Error),
    #[error("`{}` is a folder with other things in it, but no OCI layout", .0.display())]
    Foreign(PathBuf),
    #[error("cannot read the blob {digest} to write it")]
    Blob { digest: Digest, source: io::Error },
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Read(#[from] SourceError),
    #[error("cannot write `index.json`")]
    Index(#[source] serde_json::Error),
}

/// A layout that is written to.
#[derive(Debug)]
pub(crate) struct Layout {
    path: PathBuf,
    store: Store,
}

impl Layout {
    /// Looks at what is there. Nothing is made yet.
    pub(crate) fn open(path: &Path) -> Result<Self, LayoutError> {
        match fs_err::read_dir(path) {
            Ok(mut entries) => {
                // Another push may be at work here, with its blobs written and its index not yet.
                let is_ours = |name: &std::ffi::OsStr| {
                    ["blobs", "oci-layout", "index.json"].iter().any(|own| name == *own)
                        || name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
                };
                let foreign = |entry: io::Result<fs_err::DirEntry>| {
                    entry.is_ok_and(|entry| !is_ours(&entry.file_name()))
                };
                if !path.join("oci-layout").is_file() && entries.any(foreign) {
                    return Err(LayoutError::Foreign(path.to_owned()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LayoutError::Write(error)),
        }
        Ok(Self { path: path.to_owned(), store: Store::folder(path) })
    }

    fn index(&self) -> Result<Index, LayoutError> {
        match layout_index(&self.store) {
            Err(SourceError::NotALayout { .. }) => Ok(Index::oci(Vec::new())),
            other => Ok(other?),
        }
    }

    /// Writes a file of this name by way of a temporary one beside it.
    fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut NamedTempFile) -> Result<(), LayoutError>,
    ) -> Result<(), LayoutError> {
        let path = self.path.join(name);
        let folder = path.parent().unwrap_or(&self.path);
        fs_err::create_dir_all(folder).map_err(LayoutError::Write)?;
        let mut beside = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(LayoutError::Write)?;
        fill(&mut beside)?;
        beside.persist(&path).map_err(|error| LayoutError::Write(error.error))?;
        Ok(())
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), LayoutError> {
        self.write(name, |file| file.write_all(bytes).map_err(LayoutError::Write))
    }

    fn write_blob(
        &self,
        blob: &Blob,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), LayoutError> {
        let digest = &blob.descriptor.digest;
        let unread = |source| LayoutError::Blob { digest: digest.clone(), source };
        self.write(&digest.blob_path(), |file| {
            let mut from = blob.open().map_err(unread)?;
            let mut buffer = vec![0; 128 << 10];
            loop {
                if cancel.is_cancelled() {
                    return Err(LayoutError::Stopped);
                }
                match from.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(got) => {
                        file.write_all(&buffer[..got]).map_err(LayoutError::Write)?;
                        watch(got as u64);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(unread(error)),
                }
            }
        })
    }

    /// Names a document in the index, in the place of what had the name. Others who write the index wait meanwhile.
    fn name(&self, name: &str, document: &Document) -> Result<(), LayoutError> {
        self.write_bytes(&document.digest.blob_path(), &document.bytes)?;
        let folder = fs_err::File::open(&self.path).map_err(LayoutError::Write)?;
        flock(&folder, FlockOperation::LockExclusive)
            .map_err(|error| LayoutError::Write(error.into()))?;
        let mut index = self.index()?;
        let (media_type, digest) = (document.media_type.clone(), document.digest.clone());
        let mut entry = Descriptor::new(media_type, digest, document.bytes.len() as u64);
        entry.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        let is_same =
            |one: &Descriptor| one.annotations.get(REF_NAME).is_some_and(|own| own == name);
        match index.manifests.iter_mut().find(|one| is_same(one)) {
            Some(place) => *place = entry,
            None => index.manifests.push(entry),
        }
        self.write_bytes("oci-layout", MARK.as_bytes())?;
        let bytes = index.to_bytes().map_err(LayoutError::Index)?;
        self.write_bytes("index.json", &bytes)
    }
}

impl Target for Layout {
    fn current(&self, name: &str) -> Result<Option<Vec<u8>>, PushError> {
        let index = self.index()?;
        let named =
            |one: &&Descriptor| one.annotations.get(REF_NAME).is_some_and(|own| own == name);
        let named = index.manifests.iter().find(named).map(|entry| entry.digest.clone());
        let Some(digest) = named.or_else(|| name.parse().ok()) else { return Ok(None) };
        let bytes = self.store.read(&digest.blob_path(), oci::Manifest::LIMIT);
        Ok(bytes.map_err(LayoutError::Read)?.filter(|bytes| Digest::of(bytes) == digest))
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, PushError> {
        let found = self.store.get(&blob.digest.blob_path()).map_err(LayoutError::Read)?;
        Ok(found.is_some_and(|(_, size)| size == blob.size))
    }

    fn small_blob(&self, blob: &Descriptor, limit: usize) -> Result<Vec<u8>, PushError> {
        let name = blob.digest.blob_path();
        let shown = self.store.shown.clone();
        let bytes = self.store.read(&name, limit).map_err(LayoutError::Read)?;
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

    fn tags(&self) -> Result<Vec<String>, PushError> {
        let index = self.index()?;
        let names = index.manifests.iter().filter_map(|one| one.annotations.get(REF_NAME));
        let names: std::collections::BTreeSet<_> = names.cloned().collect();
        Ok(names.into_iter().collect())
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
        Ok(self.write_bytes(&document.digest.blob_path(), &document.bytes)?)
    }

    fn put_named(&self, name: &str, document: &Document) -> Result<(), PushError> {
        Ok(self.name(name, document)?)
    }
}
