//! Writing the NAR of a tree on disk.

use std::ffi::OsString;
use std::fs::{FileType, Metadata};
use std::io::{self, Read as _, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::OFlags;
use thiserror::Error;

use super::{Digester, EncodeError, Encoder, NarId};

/// The bytes that are read at once. Measured: 32 and 64 KiB cost the least, from 128 KiB on the kernel's
/// copy takes three times as long.
const BUFFER: usize = 64 << 10;

/// What Nix on macOS puts after names that differ in case alone, and leaves out of the NAR.
const CASE_HACK: &[u8] = b"~nix~case~hack~";

/// Why a tree has no NAR.
#[derive(Debug, Error)]
pub enum DumpError {
    /// Something could not be read; the source names it.
    #[error("could not read a file for its NAR")]
    Read(#[source] io::Error),
    /// Neither file, directory nor symlink.
    #[error("`{}` is {kind}; a NAR holds only files, directories and symlinks", .path.display())]
    Special {
        /// Where it is.
        path: PathBuf,
        /// What it is: `a FIFO`.
        kind: &'static str,
    },
    /// A file that something wrote to in the meantime.
    #[error("`{}` changed while it was read", .0.display())]
    Changed(PathBuf),
    /// Two names that are one when macOS's suffixes are left out.
    #[error("two entries of `{}` have the name `{}`", .path.display(), .name.escape_ascii())]
    SameName {
        /// The directory.
        path: PathBuf,
        /// The name.
        name: Vec<u8>,
    },
    /// The NAR could not be written.
    #[error("could not write the NAR of `{}`", .path.display())]
    Encode {
        /// What was being written.
        path: PathBuf,
        /// Why it could not be.
        #[source]
        source: EncodeError,
    },
}

/// Writes the NAR of a file, directory or symlink.
///
/// Links are never followed, the one that `path` may be neither. Hard links are written as files of
/// their own, as in Nix.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("file");
/// fs_err::write(&path, "hi\n")?;
/// let mut nar = Vec::new();
/// nixdata::nar::dump(&path, &mut nar)?;
/// assert_eq!(nar.len(), 120);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When something cannot be read, is a device, FIFO or socket, or changes while it is read; or when
/// the writer fails.
pub fn dump<W: Write>(path: &Path, out: W) -> Result<W, DumpError> {
    Dump::new(path, out, cfg!(target_os = "macos"))?.run(path)
}

/// Hashes the NAR of a file, directory or symlink without keeping it.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("file");
/// fs_err::write(&path, "hi\n")?;
/// let id = nixdata::nar::identify(&path)?;
/// assert_eq!(id.size, 120);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`dump`], but for the writer.
pub fn identify(path: &Path) -> Result<NarId, DumpError> {
    dump(path, Digester::new(io::sink())).map(|digester| digester.finish().0)
}

/// One entry of a directory: its name in the NAR, its name on disk, and what it is.
struct Entry {
    name: Vec<u8>,
    on_disk: OsString,
    kind: FileType,
}

struct Dump<W> {
    encoder: Encoder<W>,
    buffer: Vec<u8>,
    case_hack: bool,
    /// What is being written; names are pushed and popped.
    path: PathBuf,
    /// The rest of each open directory. A stack of our own: a tree may be deeper than a thread's.
    open: Vec<std::vec::IntoIter<Entry>>,
}

impl<W: Write> Dump<W> {
    fn new(path: &Path, out: W, case_hack: bool) -> Result<Self, DumpError> {
        let encoder = Encoder::new(out)
            .map_err(|source| DumpError::Encode { path: path.to_owned(), source })?;
        Ok(Self {
            encoder,
            buffer: vec![0; BUFFER],
            case_hack,
            path: path.to_owned(),
            open: Vec::new(),
        })
    }

    fn run(mut self, root: &Path) -> Result<W, DumpError> {
        let kind = fs::symlink_metadata(root).map_err(DumpError::Read)?.file_type();
        self.node(kind)?;
        while let Some(entries) = self.open.last_mut() {
            if let Some(entry) = entries.next() {
                self.path.push(&entry.on_disk);
                self.encode(|encoder| encoder.entry(&entry.name))?;
                self.node(entry.kind)?;
            } else {
                self.open.pop();
                self.encode(Encoder::end_directory)?;
                self.path.pop();
            }
        }
        self.encoder.finish().map_err(|source| DumpError::Encode { path: root.to_owned(), source })
    }
    /// Writes what `self.path` is. A directory stays open; anything else is popped off the path.
    fn node(&mut self, kind: FileType) -> Result<(), DumpError> {
        if kind.is_dir() {
            let entries = self.read_directory()?;
            self.encode(Encoder::directory)?;
            self.open.push(entries.into_iter());
            return Ok(());
        }
        if kind.is_symlink() {
            let target = fs::read_link(&self.path).map_err(DumpError::Read)?;
            self.encode(|encoder| encoder.symlink(target.as_os_str().as_bytes()))?;
        } else if kind.is_file() {
            self.file()?;
        } else {
            return Err(self.special(kind));
        }
        self.path.pop();
        Ok(())
    }

    fn file(&mut self) -> Result<(), DumpError> {
        // Between the listing and now a link or a FIFO may have taken the file's place: the one is
        // not followed, and the other does not block.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&self.path)
            .map_err(DumpError::Read)?;
        let before = file.metadata().map_err(DumpError::Read)?;
        if !before.is_file() {
            return Err(self.special(before.file_type()));
        }
        let executable = before.mode() & 0o100 != 0;
        self.encode(|encoder| encoder.file(executable, before.len()))?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut rest = before.len();
        // One more read than the size asks for: it must find the end.
        loop {
            let length = file.read(&mut buffer).map_err(DumpError::Read)?;
            if length == 0 {
                break;
            }
            rest = rest.checked_sub(length as u64).ok_or_else(|| self.changed())?;
            self.encode(|encoder| encoder.contents(&buffer[..length]))?;
        }
        self.buffer = buffer;
        let after = file.metadata().map_err(DumpError::Read)?;
        if rest != 0 || stamp(&before) != stamp(&after) { Err(self.changed()) } else { Ok(()) }
    }

    fn read_directory(&self) -> Result<Vec<Entry>, DumpError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(DumpError::Read)? {
            let entry = entry.map_err(DumpError::Read)?;
            let kind = entry.file_type().map_err(DumpError::Read)?;
            let on_disk = entry.file_name();
            let mut name = on_disk.clone().into_vec();
            if self.case_hack {
                strip_case_hack(&mut name);
            }
            entries.push(Entry { name, on_disk, kind });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        match entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => {
                Err(DumpError::SameName { path: self.path.clone(), name: pair[0].name.clone() })
            }
            None => Ok(entries),
        }
    }

    fn encode(
        &mut self,
        write: impl FnOnce(&mut Encoder<W>) -> Result<(), EncodeError>,
    ) -> Result<(), DumpError> {
        write(&mut self.encoder)
            .map_err(|source| DumpError::Encode { path: self.path.clone(), source })
    }

    fn changed(&self) -> DumpError {
        DumpError::Changed(self.path.clone())
    }

    fn special(&self, kind: FileType) -> DumpError {
        let kind = if kind.is_fifo() {
            "a FIFO"
        } else if kind.is_socket() {
            "a socket"
        } else if kind.is_block_device() {
            "a block device"
        } else if kind.is_char_device() {
            "a character device"
        } else {
            "no regular file"
        };
        DumpError::Special { path: self.path.clone(), kind }
    }
}

/// What writing to a file changes. Reading does not, and neither does linking to it.
fn stamp(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn strip_case_hack(name: &mut Vec<u8>) {
    if let Some(at) = name.windows(CASE_HACK.len()).rposition(|part| part == CASE_HACK) {
        name.truncate(at);
    }
}

#[cfg(test)]
mod tests;
