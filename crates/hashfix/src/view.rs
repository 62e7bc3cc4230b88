//! The files of a repository, by their path from its root: as they are on disk, or as the next commit has them.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::lock::MAX_BYTES;

/// Where files are read.
pub(crate) trait View {
    /// What a file holds; none if it is not there or is larger than any file of ours.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;

    /// Whether it is there.
    fn has(&self, path: &Path) -> bool;

    /// A file's text, if it is text.
    fn text(&self, path: &Path) -> Option<String> {
        String::from_utf8(self.read(path)?).ok()
    }
}

/// The work tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk<'a> {
    pub(crate) root: &'a Path,
}

impl View for Disk<'_> {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let file = fs_err::File::open(self.root.join(path)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= MAX_BYTES).then_some(bytes)
    }

    fn has(&self, path: &Path) -> bool {
        self.root.join(path).is_file()
    }
}

/// A path without `.` and `..`; none if it leads out of where it starts.
pub(crate) fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::Normal(part) => plain.push(part),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}
