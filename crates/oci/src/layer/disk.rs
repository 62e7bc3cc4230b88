//! The file system as a layer sees it: what a path is, what is in a folder, and the bytes of a file.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};

use super::LayerError;

/// What an entry is.
pub(super) use super::header::Kind;

/// Where store paths are read: below a folder that stands for `/`.
///
/// ```
/// assert_eq!(oci::layer::StoreRoot::default().path(), std::path::Path::new("/"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRoot(PathBuf);

impl StoreRoot {
    /// Reads `/nix/store/x` at `root/nix/store/x`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The folder that stands for `/`.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for StoreRoot {
    fn default() -> Self {
        Self("/".into())
    }
}

/// What an entry is, and what a header says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) size: u64,
    mtime: (i64, i64),
}

/// One entry of a folder.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: CString,
    pub(super) kind: Kind,
}

impl Child {
    /// The name that the entry has in a tar.
    pub(super) fn entry_name(&self) -> &[u8] {
        let name = self.name.to_bytes();
        if cfg!(target_os = "macos") { without_case_hack(name) } else { name }
    }
}

/// Where names that differ in case only are one file, Nix adds a suffix that belongs to the disk alone.
fn without_case_hack(name: &[u8]) -> &[u8] {
    const SUFFIX: &[u8] = b"~nix~case~hack~";
    let Some(at) = name.windows(SUFFIX.len()).position(|window| window == SUFFIX) else {
        return name;
    };
    let number = &name[at + SUFFIX.len()..];
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    if is_number { &name[..at] } else { name }
}

/// Reads below a store root.
#[derive(Debug)]
pub(super) struct Disk {
    root: StoreRoot,
}

impl Disk {
    pub(super) fn new(root: StoreRoot) -> Self {
        Self { root }
    }

    /// Where a source path is on disk.
    pub(super) fn path(&self, plain: bool, source: &[u8]) -> PathBuf {
        let source = Path::new(OsStr::from_bytes(source));
        if plain {
            return source.to_owned();
        }
        self.root.0.join(source.strip_prefix("/").unwrap_or(source))
    }

    /// What is at a path, without following it.
    pub(super) fn look(&self, plain: bool, source: &[u8]) -> Result<Meta, LayerError> {
        let path = self.path(plain, source);
        match rustix::fs::statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => meta(&stat, || path.clone()),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) if !plain => {
                Err(LayerError::Missing { path })
            }
            Err(errno) => Err(read_error("look at", path, errno)),
        }
    }

    /// The entries of a folder, sorted by name.
    pub(super) fn list(&self, plain: bool, source: &[u8]) -> Result<Vec<Child>, LayerError> {
        list(&mut self.open_folder(plain, source)?, || self.path(plain, source))
    }

    pub(super) fn open_folder(&self, plain: bool, source: &[u8]) -> Result<Dir, LayerError> {
        let path = self.path(plain, source);
        open_folder_at(CWD, &path).map_err(|errno| read_error("open", path, errno))
    }

    pub(super) fn open_file(&self, plain: bool, source: &[u8]) -> Result<OwnedFd, LayerError> {
        let path = self.path(plain, source);
        open_file_at(CWD, &path).map_err(|errno| read_error("open", path, errno))
    }

    /// Whether two entries of one kind and size hold the same.
    pub(super) fn is_same(
        &self,
        kind: Kind,
        (one_plain, one): (bool, &[u8]),
        (two_plain, two): (bool, &[u8]),
    ) -> Result<bool, LayerError> {
        match kind {
            Kind::Directory => Ok(true),
            Kind::Symlink => Ok(self.target(one_plain, one)? == self.target(two_plain, two)?),
            Kind::File => {
                let files = (self.open_file(one_plain, one)?, self.open_file(two_plain, two)?);
                let mut buffers = (vec![0; 64 << 10], vec![0; 64 << 10]);
                loop {
                    let read = |file: &OwnedFd, plain, source: &[u8], buffer: &mut [u8]| {
                        fill(file, buffer)
                            .map_err(|errno| read_error("read", self.path(plain, source), errno))
                    };
                    let sizes = (
                        read(&files.0, one_plain, one, &mut buffers.0)?,
                        read(&files.1, two_plain, two, &mut buffers.1)?,
                    );
                    if sizes.0 == 0 && sizes.1 == 0 {
                        return Ok(true);
                    }
                    if buffers.0[..sizes.0] != buffers.1[..sizes.1] {
                        return Ok(false);
                    }
                }
            }
        }
    }

    pub(super) fn target(&self, plain: bool, source: &[u8]) -> Result<CString, LayerError> {
        let path = self.path(plain, source);
        rustix::fs::readlinkat(CWD, &path, Vec::new())
            .map_err(|errno| read_error("read the link", path, errno))
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &OwnedFd, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::read(file, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(size) => filled += size,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(filled)
}

pub(super) fn read_error(
    what: &'static str,
    path: PathBuf,
    errno: rustix::io::Errno,
) -> LayerError {
    LayerError::Read { what, path, source: errno.into() }
}

pub(super) fn open_folder_at(
    folder: BorrowedFd<'_>,
    name: impl rustix::path::Arg,
) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Dir::new(rustix::fs::openat(folder, name, flags, Mode::empty())?)
}

pub(super) fn open_file_at(
    folder: BorrowedFd<'_>,
    name: impl rustix::path::Arg,
) -> rustix::io::Result<OwnedFd> {
    // Should the file have become a FIFO since it was listed, opening it must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// What an open file is now.
pub(super) fn meta_of(file: impl AsFd, path: impl Fn() -> PathBuf) -> Result<Meta, LayerError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| read_error("look at", path(), errno))?;
    meta(&stat, path)
}

pub(super) fn list(dir: &mut Dir, path: impl Fn() -> PathBuf) -> Result<Vec<Child>, LayerError> {
    let mut out = Vec::new();
    while let Some(entry) = dir.read() {
        let entry = entry.map_err(|errno| read_error("list", path(), errno))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        out.push((name.to_owned(), entry.file_type()));
    }
    let folder = dir.fd().map_err(|errno| read_error("list", path(), errno))?;
    let mut children = Vec::with_capacity(out.len());
    for (name, file_type) in out {
        let kind = known_kind(folder, &name, file_type, &path)?;
        children.push(Child { name, kind });
    }
    children.sort_unstable_by(|a, b| a.entry_name().cmp(b.entry_name()));
    let is_twice = |pair: &&[Child]| pair[0].entry_name() == pair[1].entry_name();
    if let Some([one, two]) = children.windows(2).find(is_twice) {
        let at = |child: &Child| path().join(OsStr::from_bytes(child.name.to_bytes()));
        return Err(LayerError::Conflict {
            name: OsStr::from_bytes(one.entry_name()).into(),
            first: at(one),
            second: at(two),
            what: "an image tells names apart by case",
        });
    }
    Ok(children)
}

fn known_kind(
    folder: BorrowedFd<'_>,
    name: &CStr,
    file_type: FileType,
    path: impl Fn() -> PathBuf,
) -> Result<Kind, LayerError> {
    let path = || path().join(OsStr::from_bytes(name.to_bytes()));
    match file_type {
        // Not every file system says in a listing what a name is.
        FileType::Unknown => {
            let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| read_error("look at", path(), errno))?;
            Ok(meta(&stat, path)?.kind)
        }
        known => kind(known, path),
    }
}

fn kind(file_type: FileType, path: impl Fn() -> PathBuf) -> Result<Kind, LayerError> {
    let kind = match file_type {
        FileType::RegularFile => return Ok(Kind::File),
        FileType::Directory => return Ok(Kind::Directory),
        FileType::Symlink => return Ok(Kind::Symlink),
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "of an unknown kind",
    };
    Err(LayerError::Special { path: path(), kind })
}

#[expect(
    clippy::useless_conversion,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the fields have other types on other systems, and no size is negative"
)]
fn meta(stat: &Stat, path: impl Fn() -> PathBuf) -> Result<Meta, LayerError> {
    let kind = kind(FileType::from_raw_mode(stat.st_mode), path)?;
    let mode = u32::from(stat.st_mode) & 0o7777;
    let size = if kind == Kind::File { stat.st_size as u64 } else { 0 };
    Ok(Meta { kind, mode, size, mtime: (stat.st_mtime as i64, stat.st_mtime_nsec as i64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_hack_is_a_number_behind_the_suffix() {
        assert_eq!(without_case_hack(b"README~nix~case~hack~1"), b"README");
        assert_eq!(without_case_hack(b"a~nix~case~hack~"), b"a~nix~case~hack~");
        assert_eq!(without_case_hack(b"a~nix~case~hack~x"), b"a~nix~case~hack~x");
        assert_eq!(without_case_hack(b"plain"), b"plain");
    }
}
