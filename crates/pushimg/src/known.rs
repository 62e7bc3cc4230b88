//! What layers were when they were last compressed: digest and size, by codec and by the digest of the tar.
//!
//! A file for each, `~/.cache/likewise/layers/<codec>/<hex>`, holding `sha256:… SIZE SEAL`. With it the manifest of an image
//! that was pushed before is known without reading a layer. It is only believed about what this machine's user wrote
//! into it, and held to when a blob is made; without it everything works as well.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use oci::Digest;
use oci::cache::Cache;
use oci::compress::Compression;

/// When there are more than this, the older half goes.
const MAX_FILES: usize = 20_000;
/// More than this is no entry.
const MAX_ENTRY: u64 = 4096;

/// The folder of what is known.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    folder: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Known {
    /// Keeps what is known below a cache folder; nowhere without one.
    pub(crate) fn new(cache_home: Option<PathBuf>) -> Self {
        let cache = cache_home.map(|home| home.join("likewise"));
        Self { folder: cache.as_ref().map(|cache| cache.join("layers")), cache }
    }

    /// The cache of what recipes made.
    pub(crate) fn cache(&self) -> Option<Cache> {
        self.cache.as_ref().map(Cache::at)
    }

    fn path(&self, with: Compression, diff_id: &Digest) -> Option<PathBuf> {
        let folder = self.folder.as_ref().filter(|_| diff_id.algorithm().is_some())?;
        Some(folder.join(with.codec()).join(diff_id.encoded()))
    }

    /// The digest and the size of a compressed layer.
    pub(crate) fn get(&self, with: Compression, diff_id: &Digest) -> Option<(Digest, u64)> {
        let path = self.path(with, diff_id)?;
        if fs_err::metadata(&path).ok()?.len() > MAX_ENTRY {
            return None;
        }
        let text = fs_err::read_to_string(path).ok()?;
        let (entry, seal) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        let (digest, size) = entry.split_once(' ')?;
        let digest: Digest = digest.parse().ok()?;
        digest.algorithm()?;
        let size = size.parse().ok()?;
        (seal == self::seal(with, diff_id, &digest, size)).then_some((digest, size))
    }

    /// Remembers a layer. A cache that cannot be written is none, which costs time and nothing else.
    pub(crate) fn add(&self, with: Compression, diff_id: &Digest, digest: &Digest, size: u64) {
        let Some(path) = self.path(with, diff_id) else { return };
        let Some(folder) = path.parent() else { return };
        let written = fs_err::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|mut file| {
                writeln!(file, "{digest} {size} {}", seal(with, diff_id, digest, size))?;
                Ok(file.persist(&path)?)
            });
        if written.is_ok() {
            prune(folder);
        }
    }

    /// Forgets what turned out wrong.
    pub(crate) fn forget(&self, with: Compression, diff_id: &Digest) {
        if let Some(path) = self.path(with, diff_id) {
            // Another run may have been quicker.
            let _gone = fs_err::remove_file(path);
        }
    }
}

/// Ties an entry to the layer that it is about: one that was moved, cut or changed by accident is none.
fn seal(with: Compression, diff_id: &Digest, digest: &Digest, size: u64) -> String {
    Digest::of(format!("{} {diff_id} {digest} {size}", with.codec())).encoded().to_owned()
}

/// Removes the older half of too many files.
fn prune(folder: &Path) {
    let Ok(entries) = fs_err::read_dir(folder) else { return };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    if files.len() <= MAX_FILES {
        return;
    }
    files.sort_by_cached_key(|path| fs_err::metadata(path).and_then(|it| it.modified()).ok());
    for path in &files[..files.len() / 2] {
        let _gone = fs_err::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_known_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::new(Some(folder.path().to_owned()));
        let (tar, blob) = (Digest::of("tar"), Digest::of("blob"));
        assert_eq!(known.get(Compression::Gzip, &tar), None);
        known.add(Compression::Gzip, &tar, &blob, 7);
        assert_eq!(known.get(Compression::Gzip, &tar), Some((blob.clone(), 7)));
        assert_eq!(known.get(Compression::Zstd, &tar), None);
        let path = known.path(Compression::Gzip, &tar).unwrap();
        let good = fs_err::read_to_string(&path).unwrap();
        assert!(good.starts_with(&format!("{blob} 7 ")), "{good}");
        // The entry of one layer says nothing of another.
        let other = known.path(Compression::Gzip, &Digest::of("other")).unwrap();
        fs_err::copy(&path, &other).unwrap();
        assert_eq!(known.get(Compression::Gzip, &Digest::of("other")), None);
        for broken in [
            "",
            "x",
            "sha256:0 7\n",
            "md5:00 7\n",
            &format!("{blob} 7\n"),
            &good.replace(" 7 ", " 8 "),
        ] {
            fs_err::write(&path, broken).unwrap();
            assert_eq!(known.get(Compression::Gzip, &tar), None, "{broken}");
        }
        known.forget(Compression::Gzip, &tar);
        known.forget(Compression::Gzip, &tar);
        assert!(!path.exists());
    }

    #[test]
    fn without_a_folder_nothing_is_known() {
        let known = Known::new(None);
        known.add(Compression::Gzip, &Digest::of("tar"), &Digest::of("blob"), 7);
        assert_eq!(known.get(Compression::Gzip, &Digest::of("tar")), None);
    }
}
