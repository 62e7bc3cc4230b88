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
use crate::{Descriptor, Digest, DocumentError, Index};

/// The annotation of a layout's index that names an image.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The file that says that a folder is a layout.
pub(crate) const LAYOUT_BYTES: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A layout cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The image could not be made.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A folder that is something else.
    #[error("`{}` is neither empty nor an image layout", .path.display())]
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
    #[error("cannot read `{}`", .path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Why.
        source: DocumentError,
    },
    /// The file system said no.
    #[error("cannot write the layout")]
    Io {
        /// Which file, and why.
        source: io::Error,
    },
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

/// A folder with blobs.
#[derive(Debug)]
struct Layout {
    folder: PathBuf,
    blobs: PathBuf,
}

impl Layout {
    fn open(folder: &Path) -> Result<Self, LayoutError> {
        #[derive(Deserialize)]
        struct Marker {
            #[serde(rename = "imageLayoutVersion")]
            version: String,
        }
        let (path, marker) = (folder.to_owned(), folder.join("oci-layout"));
        let blobs = folder.join("blobs/sha256");
        let found = match fs::read(&marker) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(LayoutError::Io { source }),
        };
        match found.map(|bytes| serde_json::from_slice::<Marker>(&bytes)) {
            Some(Ok(marker)) if marker.version == "1.0.0" => {}
            Some(Ok(Marker { version })) => return Err(LayoutError::Version { path, version }),
            Some(Err(_)) => return Err(LayoutError::NotALayout { path }),
            None => {
                let is_used =
                    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
                if is_used {
                    return Err(LayoutError::NotALayout { path });
                }
            }
        }
        let io = |source| LayoutError::Io { source };
        fs::create_dir_all(&blobs).map_err(io)?;
        let layout = Self { folder: path, blobs };
        layout.replace("oci-layout", LAYOUT_BYTES).map_err(io)?;
        Ok(layout)
    }

    /// Puts an image into the index in the place of the one that had its name.
    fn add(&self, mut descriptor: Descriptor, name: Option<&str>) -> Result<(), LayoutError> {
        let io = |source| LayoutError::Io { source };
        // Two writers at once would each keep what they had read: the second one waits.
        let lock = fs::File::open(&self.folder).map_err(io)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|errno| io(errno.into()))?;
        let path = self.folder.join("index.json");
        let mut index = match fs::read(&path) {
            Ok(bytes) => {
                Index::parse(&bytes).map_err(|source| LayoutError::Index { path, source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Index::oci(Vec::new()),
            Err(source) => return Err(io(source)),
        };
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
        let bytes = index.to_bytes().map_err(PackError::Document)?;
        self.replace("index.json", &bytes).map_err(io)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = beside(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.folder.join(name))?;
        Ok(())
    }

    /// Gives a finished blob its name.
    fn keep(&self, file: NamedTempFile, digest: &Digest) -> Result<(), PackError> {
        let path = self.blobs.join(digest.encoded());
        match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(unwritten(&path, error.error)),
        }
    }
}

impl BlobSink for Layout {
    fn blob(&mut self, make: &mut MakeBlob<'_>) -> Result<Compressed, PackError> {
        let mut file = beside(&self.blobs).map_err(|source| unwritten(&self.blobs, source))?;
        let blob = make(&mut file)?;
        self.keep(file, &blob.digest)?;
        Ok(blob)
    }

    fn document(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let wrong = |source| unwritten(&self.blobs, source);
        let mut file = beside(&self.blobs).map_err(wrong)?;
        file.write_all(bytes).map_err(wrong)?;
        self.keep(file, &Digest::of(bytes))
    }
}

/// A file that is gone if it is not kept, with the modes that the user's mask allows.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix(".likewise-")
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

fn unwritten(path: &Path, source: io::Error) -> PackError {
    PackError::Blob { to: path.to_owned(), source }
}
