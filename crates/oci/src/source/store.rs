//! Files by name, in a folder or in a tar: what layouts and archives are read from.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Content;
use super::SourceError;
use super::tar::TarIndex;

/// A folder or a tar.
#[derive(Debug)]
pub struct Store {
    /// How it is called in messages: the path, or `stdin`.
    pub shown: String,
    files: Files,
}

#[derive(Debug)]
enum Files {
    Folder(PathBuf),
    Tar(TarIndex),
}

impl Store {
    /// The files of a folder.
    pub fn folder(path: &Path) -> Self {
        Self { shown: format!("`{}`", path.display()), files: Files::Folder(path.to_owned()) }
    }

    pub(super) fn tar(shown: &str, index: TarIndex) -> Self {
        Self { shown: shown.to_owned(), files: Files::Tar(index) }
    }

    /// A file and its size; none if there is no such file.
    ///
    /// # Errors
    /// If the folder cannot be looked at.
    pub fn get(&self, name: &str) -> Result<Option<(Content, u64)>, SourceError> {
        match &self.files {
            Files::Tar(index) => Ok(index.get(name).map(|region| {
                let size = region.size;
                (Content::Region(region), size)
            })),
            Files::Folder(folder) => {
                let path = folder.join(name);
                match fs_err::metadata(&path) {
                    Ok(found) if found.is_file() => Ok(Some((Content::File(path), found.len()))),
                    Ok(_) => Ok(None),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(SourceError::Open { source }),
                }
            }
        }
    }

    /// Reads a file of at most `limit` bytes; none if there is no such file.
    ///
    /// # Errors
    /// If it is larger or cannot be read.
    pub fn read(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((content, size)) = self.get(name)? else { return Ok(None) };
        if size > limit as u64 {
            let (shown, name) = (self.shown.clone(), name.to_owned());
            return Err(SourceError::TooLarge { shown, name, size, limit });
        }
        let mut bytes = Vec::new();
        // A file that grows meanwhile is cut, and then not what its digest says.
        let read = content.open().and_then(|from| from.take(limit as u64).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(source) => {
                let (shown, name) = (self.shown.clone(), name.to_owned());
                Err(SourceError::Entry { shown, name, source })
            }
        }
    }
}
