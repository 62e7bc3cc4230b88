//! Archives: one tar that is an OCI layout and a Docker archive at once, so that docker, podman, containerd
//! and skopeo all read it.
//!
//! In this order: `oci-layout`, the layers, the config and the manifest below `blobs/sha256/`, then
//! `index.json` (with the names that podman, containerd and skopeo look for) and `manifest.json` (Docker's).
//! Each blob is there once. The same image is the same bytes.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err::File;
use fs_err::os::unix::fs::FileExt as _;
use serde::Serialize;

use crate::compress::{CompressError, Compressed};
use crate::layer::header::{BLOCK, archive_member, padding};
use crate::layout::{LAYOUT_BYTES, REF_NAME};
use crate::pack::{BlobSink, MakeBlob, PackError, Packed, Packing};
use crate::plan::Draft;
use crate::{Digest, Index};

/// The annotation that containerd and podman take an image's name from.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Where an archive is written.
pub enum ArchiveTarget<'a> {
    /// A file that is empty: blobs are written where they stay.
    File(&'a mut File),
    /// Anything else: a blob is spooled first, in a file without a name in `spool`, because its size
    /// stands in front of it.
    Stream {
        /// Where the archive goes.
        to: &'a mut dyn Write,
        /// A folder for temporary files.
        spool: PathBuf,
    },
}

impl std::fmt::Debug for ArchiveTarget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Stream { spool, .. } => {
                f.debug_struct("Stream").field("spool", spool).finish_non_exhaustive()
            }
        }
    }
}

/// Makes the image and writes it as one archive.
///
/// # Errors
/// If a layer cannot be made, or the archive cannot be written.
pub fn write_archive(
    draft: Draft,
    packing: &Packing<'_>,
    target: ArchiveTarget<'_>,
) -> Result<Packed, PackError> {
    let mut archive = Archive { target, written: BTreeSet::new() };
    archive.member("oci-layout", LAYOUT_BYTES)?;
    archive.folder("blobs/")?;
    archive.folder("blobs/sha256/")?;
    let packed = packing.pack(draft, &mut archive)?;
    archive.member("index.json", &index(&packed)?)?;
    archive.member("manifest.json", &docker_manifest(&packed)?)?;
    archive.write(&[0; 2 * BLOCK])?;
    archive.flush()?;
    Ok(packed)
}

fn index(packed: &Packed) -> Result<Vec<u8>, PackError> {
    let mut descriptor = packed.descriptor.clone();
    if let Some(reference) = packed.plan.reference() {
        let full = reference.clone().in_docker_hub().to_string();
        descriptor.annotations.insert(CONTAINERD_NAME.to_owned(), full);
        descriptor.annotations.insert(REF_NAME.to_owned(), reference.to_string());
    }
    Ok(Index::oci(vec![descriptor]).to_bytes()?)
}

/// What Docker reads: <https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md>.
fn docker_manifest(packed: &Packed) -> Result<Vec<u8>, PackError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Item {
        config: String,
        repo_tags: Vec<String>,
        layers: Vec<String>,
    }
    let item = Item {
        config: Digest::of(&packed.config).blob_path(),
        repo_tags: packed.plan.reference().iter().map(ToString::to_string).collect(),
        layers: packed.layers.iter().map(|layer| layer.digest.blob_path()).collect(),
    };
    Ok(crate::to_go_json(&[item])?)
}

struct Archive<'a> {
    target: ArchiveTarget<'a>,
    written: BTreeSet<Digest>,
}

impl Archive<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        match &mut self.target {
            ArchiveTarget::File(file) => file.write_all(bytes),
            ArchiveTarget::Stream { to, .. } => to.write_all(bytes),
        }
        .map_err(unwritten)
    }

    fn flush(&mut self) -> Result<(), PackError> {
        match &mut self.target {
            ArchiveTarget::File(file) => file.flush(),
            ArchiveTarget::Stream { to, .. } => to.flush(),
        }
        .map_err(unwritten)
    }

    fn folder(&mut self, name: &str) -> Result<(), PackError> {
        self.write(&archive_member(name, 0))
    }

    fn member(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        let size = bytes.len() as u64;
        self.write(&archive_member(name, size))?;
        self.write(bytes)?;
        self.write(&[0; BLOCK][..padding(size)])
    }
}

impl BlobSink for Archive<'_> {
    fn blob(&mut self, make: &mut MakeBlob<'_>) -> Result<Compressed, PackError> {
        match &mut self.target {
            ArchiveTarget::File(file) => in_place(file, &mut self.written, make),
            ArchiveTarget::Stream { to, spool } => spooled(*to, spool, &mut self.written, make),
        }
    }

    fn document(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        let digest = Digest::of(bytes);
        let name = digest.blob_path();
        if self.written.insert(digest) { self.member(&name, bytes) } else { Ok(()) }
    }
}

/// Leaves room for the header, and fills it in when the size is known.
fn in_place(
    file: &mut File,
    written: &mut BTreeSet<Digest>,
    make: &mut MakeBlob<'_>,
) -> Result<Compressed, PackError> {
    let start = file.stream_position().map_err(unwritten)?;
    file.write_all(&[0; BLOCK]).map_err(unwritten)?;
    let blob = make(file)?;
    if !written.insert(blob.digest.clone()) {
        file.set_len(start).and_then(|()| file.seek(SeekFrom::Start(start))).map_err(unwritten)?;
        return Ok(blob);
    }
    let header = archive_member(&blob.digest.blob_path(), blob.size);
    file.write_all_at(&header, start).map_err(unwritten)?;
    file.write_all(&[0; BLOCK][..padding(blob.size)]).map_err(unwritten)?;
    Ok(blob)
}

/// Makes the blob in a file without a name, then copies it.
fn spooled(
    to: &mut dyn Write,
    spool: &Path,
    written: &mut BTreeSet<Digest>,
    make: &mut MakeBlob<'_>,
) -> Result<Compressed, PackError> {
    let in_spool = |source| PackError::Blob { to: spool.to_owned(), source };
    let mut file = tempfile::tempfile_in(spool).map_err(in_spool)?;
    let blob = make(&mut file).map_err(|error| match error {
        CompressError::Write { source } => in_spool(source),
        error => error.into(),
    })?;
    if !written.insert(blob.digest.clone()) {
        return Ok(blob);
    }
    to.write_all(&archive_member(&blob.digest.blob_path(), blob.size)).map_err(unwritten)?;
    file.rewind().map_err(in_spool)?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let size = file.read(&mut buffer).map_err(in_spool)?;
        if size == 0 {
            break;
        }
        to.write_all(&buffer[..size]).map_err(unwritten)?;
    }
    to.write_all(&[0; BLOCK][..padding(blob.size)]).map_err(unwritten)?;
    Ok(blob)
}

fn unwritten(source: io::Error) -> PackError {
    PackError::Archive { source }
}
