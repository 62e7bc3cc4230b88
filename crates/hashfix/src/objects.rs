//! The cache of downloads: each file is named by the hash that its lockfile demands, and never changes.
//!
//! `$XDG_CACHE_HOME/hashfix/objects/sha512-…`, in hexadecimal. A file gets its name only once it is whole and verified,
//! so a run that is killed leaves nothing that looks whole. The oldest files go once the cache is larger than 4 GiB.

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nixdata::{Encoding, Hash};
use tempfile::NamedTempFile;

/// From this size on the files that were used longest ago are deleted.
const MAX_BYTES: u64 = 4 << 30;

/// A file of the cache.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

/// The cache.
#[derive(Debug)]
pub(crate) struct Objects {
    folder: PathBuf,
}

impl Objects {
    /// The cache below a folder, which is made.
    pub(crate) fn open(cache: &Path) -> io::Result<Self> {
        let folder = cache.join("objects");
        fs_err::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The file with this hash, if it is there.
    pub(crate) fn get(&self, hash: &Hash) -> Option<Object> {
        let path = self.path(hash);
        let metadata = fs_err::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Object { path, size: metadata.len() })
    }

    /// Takes a file in, if what `from` gives has this hash: a reader that checks fails before anything has the name.
    pub(crate) fn put(&self, hash: Option<&Hash>, mut from: impl Read) -> io::Result<Object> {
        let mut file = NamedTempFile::with_prefix_in(".new-", &self.folder)?;
        let size = io::copy(&mut from, &mut file)?;
        file.flush()?;
        let path = match hash {
            Some(hash) => {
                let path = self.path(hash);
                file.persist(&path)?;
                path
            }
            // Nothing says what it should be, so nothing may find it again: it goes with this run.
            None => file.into_temp_path().keep().map_err(|error| error.error)?,
        };
        Ok(Object { path, size })
    }

    /// Deletes what was used longest ago once there is too much, and what a killed run left.
    pub(crate) fn prune(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(&self.folder)? {
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.accessed().or_else(|_| metadata.modified())?;
            let is_left = entry.file_name().as_encoded_bytes().starts_with(b".new-");
            let is_old = SystemTime::now()
                .duration_since(used)
                .is_ok_and(|age| age.as_secs() > 24 * 60 * 60);
            if is_left && is_old {
                // Another run may have been faster.
                let _gone = fs_err::remove_file(entry.path());
            } else {
                files.push((used, metadata.len(), entry.path()));
            }
        }
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        files.sort();
        for (_, size, path) in files {
            if total <= MAX_BYTES {
                break;
            }
            let _gone = fs_err::remove_file(path);
            total -= size;
        }
        Ok(())
    }

    fn path(&self, hash: &Hash) -> PathBuf {
        self.folder.join(format!("{}-{}", hash.algorithm(), hash.bare(Encoding::Base16)))
    }
}
