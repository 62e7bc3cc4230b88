//! Putting an image where it belongs. A file is there whole or not at all.

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cli::{Io, Var, outln};
use fs_err as fs;
use oci::archive::{ArchiveTarget, write_archive};
use oci::layout::write_layout;
use oci::n2c::Image;
use oci::pack::Packing;
use oci::plan::{Draft, Plan};
use tempfile::NamedTempFile;

use crate::destination::Place;
use crate::error::BuildError;

/// Where blobs wait when their size has to be known before they can be sent on: a folder that is not in
/// memory, unless the user says so.
pub(crate) const SPOOL: &str = "/var/tmp";

/// Writes the plan.
pub(crate) fn plan(plan: &Plan, to: &Place, io: &mut Io) -> Result<(), BuildError> {
    let bytes = plan.to_bytes()?;
    match to {
        Place::Stdout => io.out.bytes(&bytes)?,
        Place::File(path) => file(&bytes, path)?,
    }
    Ok(())
}

/// Writes the plan as nix2container's `image.json`.
pub(crate) fn nix2container(plan: &Plan, to: &Place, io: &mut Io) -> Result<(), BuildError> {
    let bytes =
        Image::of_plan(plan).map_err(|error| BuildError::NoN2c(Box::new(error)))?.to_bytes()?;
    match to {
        Place::Stdout => Ok(io.out.bytes(&bytes)?),
        Place::File(path) => file(&bytes, path),
    }
}

/// Writes a small file.
pub(crate) fn file(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    Beside::new(path)?.fill(|file| file.write_all(bytes).map_err(|e| unwritten(path, e)))
}

/// Writes the archive; to a file, its manifest's digest is what stdout gets.
pub(crate) fn archive(
    draft: Draft,
    packing: &Packing<'_>,
    to: &Place,
    io: &mut Io,
) -> Result<(), BuildError> {
    let spool = io.env.get(Var::TmpDir).map_or_else(|| PathBuf::from(SPOOL), PathBuf::from);
    let path = match to {
        Place::Stdout => {
            let target = ArchiveTarget::Stream { to: &mut io.out, spool };
            write_archive(draft, packing, target)?;
            return Ok(());
        }
        Place::File(path) => path,
    };
    let packed = Beside::new(path)?.fill(|file| {
        let target = match file {
            Opened::File(file) => ArchiveTarget::File(file),
            Opened::Device(file) => ArchiveTarget::Stream { to: file, spool },
        };
        Ok(write_archive(draft, packing, target)?)
    })?;
    outln!(io, "{}", packed.descriptor.digest)?;
    Ok(())
}

/// Puts the image into a layout; its manifest's digest is what stdout gets.
pub(crate) fn layout(
    draft: Draft,
    packing: &Packing<'_>,
    folder: &Path,
    name: Option<&str>,
    io: &mut Io,
) -> Result<(), BuildError> {
    let packed = write_layout(draft, packing, folder, name)?;
    outln!(io, "{}", packed.descriptor.digest)?;
    Ok(())
}

/// A file that takes the place of another one when it is finished, or a device that is written as it is.
enum Beside {
    File { temporary: NamedTempFile, path: PathBuf },
    Device { file: fs::File, path: PathBuf },
}

/// What is written to.
enum Opened<'a> {
    File(&'a mut fs::File),
    Device(&'a mut fs::File),
}

impl Opened<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) | Self::Device(file) => file.write_all(bytes),
        }
    }
}

impl Beside {
    fn new(path: &Path) -> Result<Self, BuildError> {
        let wrong = |error| unwritten(path, error);
        // A link is followed: what it leads to is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => Err(BuildError::IsFolder(path.to_owned())),
            Ok(found) if !found.is_file() => {
                let file = fs::OpenOptions::new().write(true).open(&target).map_err(wrong)?;
                Ok(Self::Device { file, path: path.to_owned() })
            }
            _ => {
                let parent = target.parent().unwrap_or(Path::new("/"));
                let temporary = tempfile::Builder::new()
                    .prefix(".ociimg-")
                    .permissions(std::fs::Permissions::from_mode(0o666))
                    .tempfile_in(parent)
                    .map_err(wrong)?;
                Ok(Self::File { temporary, path: target })
            }
        }
    }

    fn fill<T>(
        self,
        write: impl FnOnce(&mut Opened<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        match self {
            Self::Device { mut file, path } => {
                let written = write(&mut Opened::Device(&mut file))?;
                file.flush().map_err(|error| unwritten(&path, error))?;
                Ok(written)
            }
            Self::File { temporary, path } => {
                let (file, name) = temporary.into_parts();
                let mut file = fs::File::from_parts(file, &path);
                let written = write(&mut Opened::File(&mut file))?;
                name.persist(&path).map_err(|error| unwritten(&path, error.error))?;
                Ok(written)
            }
        }
    }
}

fn unwritten(path: &Path, source: io::Error) -> BuildError {
    BuildError::Write { path: path.to_owned(), source }
}
