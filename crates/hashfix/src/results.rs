//! Hashes that were computed before, each by its recipe and its lockfile: `$XDG_CACHE_HOME/hashfix/results`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nixdata::{Algorithm, Encoding, Hash};
use tempfile::NamedTempFile;

use crate::recipe::Recipe;

/// The results: those of this run, and those that are kept.
#[derive(Debug)]
pub(crate) struct Results {
    folder: PathBuf,
    now: BTreeMap<String, Hash>,
}

impl Results {
    /// Those below a folder of ours.
    pub(crate) fn below(cache: &Path) -> Self {
        Self { folder: cache.join("results"), now: BTreeMap::new() }
    }

    /// What a lockfile gave by a recipe.
    pub(crate) fn get(&self, recipe: Recipe, lockfile: &[u8]) -> Option<Hash> {
        let name = name(recipe, lockfile);
        if let Some(hash) = self.now.get(&name) {
            return Some(*hash);
        }
        let text = fs_err::read_to_string(self.folder.join(name)).ok()?;
        Hash::parse_with(text.trim(), Algorithm::Sha256).ok()
    }

    /// Keeps what a lockfile gives; for other runs too only where the lockfile alone decides it.
    pub(crate) fn put(
        &mut self,
        recipe: Recipe,
        lockfile: &[u8],
        hash: Hash,
        is_pinned: bool,
    ) -> io::Result<()> {
        let name = name(recipe, lockfile);
        if is_pinned {
            fs_err::create_dir_all(&self.folder)?;
            let mut file = NamedTempFile::with_prefix_in(".new-", &self.folder)?;
            writeln!(file, "{}", hash.sri())?;
            file.persist(self.folder.join(&name))?;
        }
        self.now.insert(name, hash);
        Ok(())
    }
}

/// A later version may mend a recipe, so each has results of its own.
fn name(recipe: Recipe, lockfile: &[u8]) -> String {
    let digest = Hash::sha256_of(lockfile).bare(Encoding::Base16);
    format!("{}-{recipe}-{digest}", env!("CARGO_PKG_VERSION"))
}
