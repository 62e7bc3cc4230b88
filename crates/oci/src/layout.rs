//! Layouts: an image in a folder, blobs by digest and an index of names.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md>. A layout may hold several
//! images; writing one leaves the others as they are. Nothing is ever seen half: files are written beside
//! and renamed, and the index, under a lock, comes last.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::compress::Compressed;
use crate::pack::{BlobSink, MakeBlob, PackError, Packed, Packing};
use crate::plan::Draft;
use crate::source::{SourceError, Store, layout_index};
use crate::{Descriptor, Digest, Index};

/// The annotation of a layout's index that names an image.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The file that says that a folder is a layout.
pub(crate) const LAYOUT_BYTES: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// What temporary files are named.
const PREFIX: &str = ".likewise-";

/// A layout cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The image could not be made.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A folder that is something else.
    #[error("`{}` is a folder with other things in it, but no OCI layout", .path.display())]
    NotALayout {
        /// The folder.
        path: PathBuf,
    },
    /// A layout of a version that is not known.
    #[error("`{}` is an image layout of version {version}, not 1.0.0", .path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// The index cannot be understood, so it is not written over.
    #[error(transparent)]
    Read(#[from] SourceError),
    /// The file system said no.
    #[error("cannot write the layout")]
    Io {
        /// Which file, and why.
        source: io::Error,
    },
}

impl From<io::Error> for LayoutError {
    fn from(source: io::Error) -> Self {
        Self::Io { source }
    }
}

/// Makes the image and puts it into the layout `folder` under `name`, or without a name.
///
/// # Errors
/// If the folder is something else, a layer cannot be made, or something cannot be written.
pub fn write_layout(
    draft: Draft,
    packing: &Packing<'_>,
    folder: &Path,
    name: Option<&str>,
) -> Result<Packed, LayoutError> {
    let mut layout = Layout::open(folder)?;
    let packed = packing.pack(draft, &mut layout)?;
    // Unless it is named, the tag names it: that is what `oci:DIR:TAG` looks for.
    let name = name.or_else(|| packed.plan.name.as_ref().map(|_| packed.plan.tag.as_str()));
    layout.add(packed.descriptor.clone(), name)?;
    Ok(packed)
}

/// A folder with blobs, or one that will be made.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
    store: Store,
}

impl Layout {
    /// Looks at what is there. Nothing is made yet.
    ///
    /// # Errors
    /// If it is something else.
    pub fn open(folder: &Path) -> Result<Self, LayoutError> {
        #[derive(Deserialize)]
        struct Marker {
            #[serde(rename = "imageLayoutVersion")]
            version: String,
        }
        let path = folder.to_owned();
        let store = Store::folder(folder);
        let marker = match fs::read(folder.join("oci-layout")) {
            Ok(bytes) => Some(serde_json::from_slice::<Marker>(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(source.into()),
        };
        match marker {
            Some(Ok(marker)) if marker.version == "1.0.0" => {}
            Some(Ok(Marker { version })) => return Err(LayoutError::Version { path, version }),
            Some(Err(_)) => return Err(LayoutError::NotALayout { path }),
            None if is_foreign(folder)? => return Err(LayoutError::NotALayout { path }),
            None => {}
        }
        Ok(Self { folder: path, store })
    }

    /// Its files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Its index; an empty one if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn index(&self) -> Result<Index, SourceError> {
        match layout_index(&self.store) {
            Err(SourceError::NotALayout { .. }) => Ok(Index::oci(Vec::new())),
            other => other,
        }
    }

    /// Makes a file that `fill` writes: whole or not at all.
    ///
    /// # Errors
    /// What `fill` says, and what the file system says.
    pub fn write<E: From<io::Error>>(
        &self,
        name: &str,
        fill: impl FnOnce(&mut NamedTempFile) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = self.folder.join(name);
        let mut beside = beside(path.parent().unwrap_or(&self.folder))?;
        fill(&mut beside)?;
        beside.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Makes a file of these bytes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(name, |file| file.write_all(bytes))
    }

    /// Puts an image into the index in the place of the one that had its name. Other writers wait meanwhile.
    ///
    /// # Errors
    /// If the index cannot be read or written.
    pub fn add(&self, mut descriptor: Descriptor, name: Option<&str>) -> Result<(), LayoutError> {
        // Two writers at once would each keep what they had read: the second one waits.
        fs::create_dir_all(&self.folder)?;
        let lock = fs::File::open(&self.folder)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(io::Error::from)?;
        let mut index = self.index()?;
        if let Some(name) = name {
            descriptor.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        }
        let is_same = |old: &Descriptor| match name {
            Some(name) => old.annotations.get(REF_NAME).is_some_and(|old| old == name),
            None => !old.annotations.contains_key(REF_NAME) && old.digest == descriptor.digest,
        };
        match index.manifests.iter().position(is_same) {
            Some(at) => index.manifests[at] = descriptor,
            None => index.manifests.push(descriptor),
        }
        self.write_bytes("oci-layout", LAYOUT_BYTES)?;
        let bytes = index.to_bytes().map_err(PackError::Document)?;
        Ok(self.write_bytes("index.json", &bytes)?)
    }
}

impl Layout {
    /// Takes an image out of the index, with all its names; its blobs stay. Says whether it was there.
    ///
    /// # Errors
    /// If the index cannot be read or written.
    pub fn remove(&self, digest: &Digest) -> Result<bool, LayoutError> {
        let lock = fs::File::open(&self.folder)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(io::Error::from)?;
        let mut index = self.index()?;
        let before = index.manifests.len();
        index.manifests.retain(|one| one.digest != *digest);
        if index.manifests.len() == before {
            return Ok(false);
        }
        let bytes = index.to_bytes().map_err(PackError::Document)?;
        self.write_bytes("index.json", &bytes)?;
        Ok(true)
    }
}

/// Whether there is something that is no layout. Another writer may be at work, with its blobs written and its
/// index not yet.
fn is_foreign(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let is_ours = ["blobs", "index.json"].iter().any(|own| name == *own)
            || name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if !is_ours {
            return Ok(true);
        }
    }
    Ok(false)
}

impl BlobSink for Layout {
    fn blob(&mut self, make: &mut MakeBlob<'_>) -> Result<Compressed, PackError> {
        let blobs = self.folder.join("blobs/sha256");
        let mut file = beside(&blobs).map_err(|source| unwritten(&blobs, source))?;
        let blob = make(&mut file)?;
        let path = blobs.join(blob.digest.encoded());
        file.persist(&path).map_err(|error| unwritten(&path, error.error))?;
        Ok(blob)
    }

    fn document(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let path = Digest::of(bytes).blob_path();
        self.write_bytes(&path, bytes).map_err(|source| unwritten(&self.folder.join(&path), source))
    }
}

fn unwritten(path: &Path, source: io::Error) -> PackError {
    PackError::Blob { to: path.to_owned(), source }
}

/// A file that is gone if it is not kept, with the modes that the user's mask allows.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(folder)?;
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}
