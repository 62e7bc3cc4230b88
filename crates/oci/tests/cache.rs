//! Layers that were made before.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use oci::cache::Cache;
use oci::compress::{CompressError, Compressed, Compression, Making};
use oci::layer::{LayerRecipe, PathRecipe, StoreRoot};

/// A store of a few paths, one of them of more than a member.
struct Store {
    dir: tempfile::TempDir,
    recipe: Arc<LayerRecipe>,
}

impl Store {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let noise = |size: u32, seed: u32| -> Vec<u8> {
            let word = |n: u32| (n.wrapping_mul(2_654_435_761) ^ seed).rotate_left(n % 31);
            (0..size / 4).flat_map(|n| word(n).to_le_bytes()).collect()
        };
        let mut paths = Vec::new();
        for (name, size) in [("a", 3_000_000), ("b", 1000), ("c", 700_000), ("d", 700_000)] {
            let path = dir.path().join("nix/store").join(name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("f"), noise(size, size)).unwrap();
            let hash = nixdata::nar::identify(&path).unwrap().hash.sri();
            let recipe = PathRecipe::new(format!("/nix/store/{name}"));
            paths.push(PathRecipe { nar_hash: Some(hash), ..recipe });
        }
        Self { dir, recipe: Arc::new(LayerRecipe::new(paths)) }
    }

    fn make(
        &self,
        with: Compression,
        cache: Option<&Path>,
    ) -> Result<(Compressed, Vec<u8>, u64), CompressError> {
        let (root, cache) = (StoreRoot::at(self.dir.path()), cache.map(Cache::at));
        let read = std::cell::Cell::new(0);
        let progress = |bytes| read.set(read.get() + bytes);
        let cache = cache.as_ref();
        let making = Making { root: &root, with, jobs: 2, cache, progress: &progress };
        let mut out = Vec::new();
        let made = making.layer(&self.recipe, &mut out)?;
        Ok((made, out, read.get()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("nix/store").join(name).join("f")
    }
}

/// The compressed members that are kept.
fn members(cache: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![cache.join("segments")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                out.push(entry.path());
            }
        }
    }
    out.sort();
    out
}

#[test]
fn what_was_made_once_is_not_read_again() {
    for with in [Compression::Gzip, Compression::Zstd] {
        let (store, cache) = (Store::new(), tempfile::tempdir().unwrap());
        let (alone, bytes, _) = store.make(with, None).unwrap();
        let (cold, cold_bytes, read) = store.make(with, Some(cache.path())).unwrap();
        assert_eq!((&cold, &cold_bytes), (&alone, &bytes));
        assert_eq!(read, cold.tar_size);
        // Were a file read now, its NAR hash would be another one.
        fs::write(store.file("b"), "changed").unwrap();
        let (warm, warm_bytes, read) = store.make(with, Some(cache.path())).unwrap();
        assert_eq!((warm, warm_bytes, read), (alone, bytes, 0));
        let error = store.make(with, None).unwrap_err();
        let CompressError::Read { source } = error else { panic!("{error}") };
        assert!(source.to_string().contains("has the NAR hash"), "{source}");
        // A path that is gone is named, whatever is known of it.
        fs::remove_dir_all(store.file("b").parent().unwrap()).unwrap();
        let error = store.make(with, Some(cache.path())).unwrap_err();
        let CompressError::Read { source } = error else { panic!("{error}") };
        assert!(source.to_string().contains("is not on this machine"), "{source}");
    }
}

#[test]
fn broken_and_missing_members_are_made_again() {
    let (store, cache) = (Store::new(), tempfile::tempdir().unwrap());
    let (cold, bytes, _) = store.make(Compression::Gzip, Some(cache.path())).unwrap();
    let all = members(cache.path());
    assert!(all.len() > 4, "{all:?}");
    for path in &all {
        let whole = fs::read(path).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for broken in [Some(flipped), Some(whole[..whole.len() / 2].to_vec()), None] {
            match broken {
                Some(broken) => fs::write(path, broken).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let (made, again, read) = store.make(Compression::Gzip, Some(cache.path())).unwrap();
            assert_eq!((&made, &again, read), (&cold, &bytes, cold.tar_size));
            assert_eq!(fs::read(path).unwrap(), whole, "it was written again");
        }
    }
}

#[test]
fn no_member_passes_for_another_one() {
    let (store, cache) = (Store::new(), tempfile::tempdir().unwrap());
    let (_, bytes, _) = store.make(Compression::Gzip, Some(cache.path())).unwrap();
    // Two members change places: each is whole, but not what it is called.
    let all = members(cache.path());
    let (one, two) = (fs::read(&all[0]).unwrap(), fs::read(&all[1]).unwrap());
    fs::write(&all[0], two).unwrap();
    fs::write(&all[1], one).unwrap();
    assert_eq!(store.make(Compression::Gzip, Some(cache.path())).unwrap().1, bytes);
}

#[test]
fn several_may_write_at_once() {
    let (store, cache) = (Store::new(), tempfile::tempdir().unwrap());
    let (_, bytes, _) = store.make(Compression::Gzip, None).unwrap();
    std::thread::scope(|scope| {
        let make = || store.make(Compression::Gzip, Some(cache.path())).unwrap().1;
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), bytes);
        }
    });
    assert_eq!(store.make(Compression::Gzip, Some(cache.path())).unwrap().2, 0);
}

#[test]
fn without_a_place_to_write_everything_works() {
    let store = Store::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let (_, bytes, _) = store.make(Compression::Gzip, None).unwrap();
    let (_, again, read) = store.make(Compression::Gzip, Some(file.path())).unwrap();
    assert_eq!(again, bytes);
    assert!(read > 0);
}
