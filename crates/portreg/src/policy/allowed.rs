//! Where ports may be written out.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::Numbers;

/// Numbers and files.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    pub(super) numbers: Vec<Numbers>,
    pub(super) files: Vec<FileGlob>,
}

/// A pattern for files: one without a slash is compared with a file's name, one with a slash with its path.
#[derive(Debug, Clone)]
pub(super) struct FileGlob {
    glob: GlobMatcher,
    is_name: bool,
}

impl FileGlob {
    pub(super) fn new(glob: &str) -> Result<Self, globset::Error> {
        let is_name = !glob.contains('/');
        let glob = glob.strip_prefix("./").unwrap_or(glob);
        let glob = GlobBuilder::new(glob).literal_separator(true).build()?.compile_matcher();
        Ok(Self { glob, is_name })
    }

    pub(super) fn matches(&self, path: &Path) -> bool {
        let compared = if self.is_name { path.file_name().map(Path::new) } else { Some(path) };
        compared.is_some_and(|path| self.glob.is_match(path))
    }
}
