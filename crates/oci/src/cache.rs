//! The cache of layers: what recipes made, so that what was read and compressed once is not read and compressed again.
//!
//! Below one folder, `$XDG_CACHE_HOME/likewise`:
//!
//! - `recipes/HEX`: by the key of a recipe whose paths all have a NAR hash, the digest and size of its tar;
//! - `blobs/CODEC/HEX`: by the same key, the digest and size of the compressed layer, and its members in order;
//! - `documents/HEX`: the closures of roots;
//! - `segments/CODEC/HE/HEX`: by the digest of what goes in, a compressed member.
//!
//! A member's input holds the names of its entries, so paths of equal contents and other names share none. Every file begins
//! with the digest of its name and the rest: one that is broken, or another one's, is as good as none, and is made again. Files are written beside and
//! renamed, so any number of runs may share the folder. What has not been used for longest goes first when there is too
//! much.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::compress::Compressed;
use crate::layer::Measured;
use crate::{Digest, Hasher};

/// So many bytes are kept.
const LIMIT: u64 = 4 << 30;
/// More than any entry: a member of 1 MiB that cannot be compressed is little more.
const LARGEST: u64 = 8 << 20;
/// What was used this recently is not touched again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// What temporary files begin with.
const PREFIX: &str = ".new-";
const FOLDERS: [&str; 4] = ["recipes", "blobs", "segments", "documents"];

/// A folder of what was made before.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
    is_changed: AtomicBool,
}

/// What is known of a compressed layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedBlob {
    pub(crate) made: Compressed,
    /// What went into each member.
    pub(crate) members: Vec<Digest>,
}

impl Cache {
    /// The cache in a folder, which need not exist.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: LIMIT, is_changed: AtomicBool::new(false) }
    }

    /// Keeps at most so many bytes.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// What a recipe made.
    pub(crate) fn measured(&self, key: &Digest) -> Option<Measured> {
        Self::read(&self.recipe(key), |body| {
            let (diff_id, size) = str::from_utf8(body).ok()?.split_once(' ')?;
            Some(Measured { diff_id: digest(diff_id)?, size: size.parse().ok()? })
        })
    }

    pub(crate) fn add_measured(&self, key: &Digest, made: &Measured) -> io::Result<()> {
        self.write(&self.recipe(key), format!("{} {}", made.diff_id, made.size).as_bytes())
    }

    /// What a recipe made, compressed.
    pub(crate) fn blob(&self, codec: &str, key: &Digest) -> Option<CachedBlob> {
        Self::read(&self.blob_path(codec, key), |body| {
            let mut lines = str::from_utf8(body).ok()?.lines();
            let mut words = lines.next()?.split(' ');
            let mut word = || words.next();
            let made = Compressed {
                diff_id: digest(word()?)?,
                tar_size: word()?.parse().ok()?,
                digest: digest(word()?)?,
                size: word()?.parse().ok()?,
            };
            Some(CachedBlob { made, members: lines.map(digest).collect::<Option<_>>()? })
        })
    }

    pub(crate) fn add_blob(&self, codec: &str, key: &Digest, blob: &CachedBlob) -> io::Result<()> {
        let made = &blob.made;
        let mut body = format!("{} {} {} {}", made.diff_id, made.tar_size, made.digest, made.size);
        for member in &blob.members {
            body.push('\n');
            body.push_str(member.as_str());
        }
        self.write(&self.blob_path(codec, key), body.as_bytes())
    }

    /// Forgets what turned out wrong.
    pub(crate) fn forget_blob(&self, codec: &str, key: &Digest) {
        for path in [self.blob_path(codec, key), self.recipe(key)] {
            // Another run may have been quicker.
            drop(fs::remove_file(path));
        }
    }

    /// A compressed member, by the digest of what went in.
    pub(crate) fn member(&self, codec: &str, id: &Digest) -> Option<Vec<u8>> {
        Self::read(&self.member_path(codec, id), |body| Some(body.to_vec()))
    }

    pub(crate) fn has_member(&self, codec: &str, id: &Digest) -> bool {
        self.member_path(codec, id).is_file()
    }

    pub(crate) fn add_member(&self, codec: &str, id: &Digest, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.member_path(codec, id), bytes)
    }

    /// What someone else keeps, by any digest.
    pub fn document(&self, key: &Digest) -> Option<Vec<u8>> {
        Self::read(&self.document_path(key), |body| Some(body.to_vec()))
    }

    /// Keeps something by any digest.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn add_document(&self, key: &Digest, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.document_path(key), bytes)
    }

    fn document_path(&self, key: &Digest) -> PathBuf {
        self.folder.join("documents").join(key.encoded())
    }

    fn recipe(&self, key: &Digest) -> PathBuf {
        self.folder.join("recipes").join(key.encoded())
    }

    fn blob_path(&self, codec: &str, key: &Digest) -> PathBuf {
        self.folder.join("blobs").join(codec).join(key.encoded())
    }

    fn member_path(&self, codec: &str, id: &Digest) -> PathBuf {
        let hex = id.encoded();
        self.folder.join("segments").join(codec).join(&hex[..2]).join(hex)
    }

    /// Reads an entry; a broken one is removed, and none.
    fn read<T>(path: &Path, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let file = fs::File::open(path).ok()?;
        let found = file.metadata().ok()?;
        let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(LARGEST)).ok()?);
        file.file().take(LARGEST).read_to_end(&mut bytes).ok()?;
        let parsed = bytes.split_at_checked(DIGEST).and_then(|(digest, body)| {
            let is_whole = seal(path, body).as_str().as_bytes() == digest;
            is_whole.then(|| parse(body)).flatten()
        });
        if parsed.is_none() {
            drop(fs::remove_file(path));
            return None;
        }
        let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_none_or(|age| age > FRESH) {
            // What is used stays; where that cannot be noted, it goes a little earlier.
            drop(file.file().set_modified(SystemTime::now()));
        }
        parsed
    }

    /// Writes an entry. Without a folder that can be written there is no cache, and no harm done; a full disk is said.
    fn write(&self, path: &Path, body: &[u8]) -> io::Result<()> {
        let Some(folder) = path.parent().filter(|_| body.len() as u64 + 128 < LARGEST) else {
            return Ok(());
        };
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?;
            file.write_all(seal(path, body).as_str().as_bytes())?;
            file.write_all(body)?;
            Ok(file.persist(path)?)
        });
        match written {
            Ok(_) => self.is_changed.store(true, Ordering::Relaxed),
            Err(error) if is_full(&error) => {
                return Err(io::Error::new(
                    error.kind(),
                    format!("cannot write `{}`: {error}", path.display()),
                ));
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Removes what was not used for longest if there is too much, and what others left behind half.
    fn trim(&self) {
        let mut files = Vec::new();
        for folder in FOLDERS {
            collect(&self.folder.join(folder), 0, &mut files);
        }
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        let now = SystemTime::now();
        files.retain(|(time, size, path)| {
            let is_left = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
            if is_left && now.duration_since(*time).is_ok_and(|age| age > FRESH) {
                drop(fs::remove_file(path));
                total -= size;
            }
            !is_left
        });
        if total <= self.limit {
            return;
        }
        files.sort();
        for (_, size, path) in files {
            if total <= self.limit / 4 * 3 {
                return;
            }
            drop(fs::remove_file(path));
            total -= size;
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if self.is_changed.load(Ordering::Relaxed) {
            self.trim();
        }
    }
}

/// What an entry begins with. Its own name is a part, so that none passes for another one.
fn seal(path: &Path, body: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hasher.update(body);
    hasher.finish()
}

/// `sha256:` and 64 digits.
const DIGEST: usize = 71;

fn digest(text: &str) -> Option<Digest> {
    text.parse::<Digest>().ok().filter(|digest| digest.algorithm().is_some())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<(SystemTime, u64, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(found) = entry.metadata() else { continue };
        if found.is_dir() && depth < 3 {
            collect(&entry.path(), depth + 1, files);
        } else if found.is_file() {
            let time = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((time, found.len(), entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let id = Digest::of("in");
        cache.add_member("x", &id, b"out").unwrap();
        assert_eq!(cache.member("x", &id).unwrap(), b"out");
        assert!(cache.member("y", &id).is_none());
        let path = cache.member_path("x", &id);
        let whole = fs::read(&path).unwrap();
        let flipped = [&whole[..whole.len() - 1], b"?"].concat();
        for broken in [b"".as_slice(), b"short", &whole[..whole.len() - 1], &flipped] {
            fs::write(&path, broken).unwrap();
            assert!(cache.member("x", &id).is_none());
            assert!(!path.exists());
        }
        let blob = CachedBlob {
            made: Compressed { diff_id: id.clone(), tar_size: 1, digest: id.clone(), size: 2 },
            members: vec![id.clone(), Digest::of("b")],
        };
        cache.add_blob("x", &id, &blob).unwrap();
        assert_eq!(cache.blob("x", &id), Some(blob));
        // Whole, but no such entry.
        cache.write(&cache.recipe(&id), b"sha256:0 1").unwrap();
        assert!(cache.measured(&id).is_none());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<_> = (0..20_u8).map(|n| Digest::of([n])).collect();
        let cache = Cache::at(dir.path()).with_limit(40_000);
        for (age, id) in ids.iter().enumerate() {
            cache.add_member("x", id, &[0; 4000]).unwrap();
            let time = SystemTime::now() - FRESH * (20 - u32::try_from(age).unwrap());
            let file = std::fs::File::options().write(true).open(cache.member_path("x", id));
            file.unwrap().set_modified(time).unwrap();
        }
        // The oldest is used.
        assert!(cache.member("x", &ids[0]).is_some());
        drop(cache);
        let cache = Cache::at(dir.path());
        let kept: Vec<_> = (0..20).filter(|n| cache.has_member("x", &ids[*n])).collect();
        assert_eq!(kept, [0, 14, 15, 16, 17, 18, 19]);
    }
}
