//! Layers: from a recipe to the bytes of a tar, the same on every machine.
//!
//! The dialect `dockertools-1` writes what dockerTools' `stream_layered_image.py` writes. `n2c-1` writes what nix2container writes: every entry by its absolute name,
//! owned by root, at one second after the epoch; parents that no path brings are folders of mode 0755;
//! hard links are files of their own; capabilities are PAX records; two zero blocks end it. FIFOs, sockets and devices are refused.

mod caps;
mod chunks;
mod disk;
pub(crate) mod dockertools;
mod entry;
pub(crate) mod header;
mod made;
mod nar;
mod recipe;
mod rewrite;
mod rule;
mod tree;
mod walk;

use std::io;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;

pub use caps::CapabilitiesError;
pub use chunks::LayerReader;
pub use disk::StoreRoot;
pub use made::{MadeEntry, MadeKind};
pub use recipe::{
    Dialect, DialectError, LayerRecipe, OnConflict, PathOptions, PathRecipe, Perm, Rewrite, Stamp,
};
pub use rule::{Rule, glob_to_regex};

use crate::cache::Cache;
use crate::{Digest, Hasher};

/// A layer cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A path of the recipe is not there.
    #[error("store path `{}` is not on this machine", .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("cannot {what} `{}`", .path.display())]
    Read {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An entry that an image cannot hold.
    #[error("`{}` is {kind}, which an image cannot hold", .path.display())]
    Special {
        /// The entry.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file that was not the same at the end as at the start.
    #[error("`{}` changed while it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Two paths that make the same entry, but not the same way.
    #[error("`{}` and `{}` both make `{}`, but {what}", .first.display(), .second.display(), .name.display())]
    Conflict {
        /// The entry.
        name: PathBuf,
        /// Where it came from first.
        first: PathBuf,
        /// Where it came from then.
        second: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Folders in folders in folders.
    #[error("`{}` is nested deeper than 200 directories", .path.display())]
    Depth {
        /// Where it became too deep.
        path: PathBuf,
    },
    /// A path that is not absolute and plain.
    #[error("`{path}` must be an absolute path without `.`, `..` or empty components")]
    Path {
        /// As the recipe has it.
        path: String,
    },
    /// An entry's name that leaves the image.
    #[error("an entry would be named `{name}`, which an image cannot hold")]
    Name {
        /// The name after rewriting.
        name: String,
    },
    /// A pattern that cannot be understood.
    #[error("cannot read the pattern `{pattern}`")]
    Regex {
        /// The pattern.
        pattern: String,
        /// Why.
        source: Box<regex::Error>,
    },
    /// A mode that is none.
    #[error("mode `{mode}` must be octal digits, at most 7777")]
    Mode {
        /// As the recipe has it.
        mode: String,
    },
    /// A recipe that its dialect cannot follow.
    #[error("the dialect `{dialect}` does not know {what}")]
    Dialect {
        /// The dialect.
        dialect: &'static str,
        /// What it does not know.
        what: String,
    },
    /// Capabilities that are none.
    #[error("cannot read the capabilities `{text}`")]
    Capabilities {
        /// As the recipe has it.
        text: String,
        /// Why.
        source: CapabilitiesError,
    },
    /// An entry that cannot be made.
    #[error("cannot make `{to}`: {what}")]
    Made {
        /// Its name.
        to: String,
        /// Why not.
        what: &'static str,
    },
    /// A path that is not what the recipe says.
    #[error("`{}` has the NAR hash {found}, not {expected}; what changed last in it is `{}`", .path.display(), .newest.display())]
    NarHash {
        /// The path.
        path: PathBuf,
        /// The entry in it that was changed last.
        newest: PathBuf,
        /// What the recipe says.
        expected: String,
        /// What was read.
        found: String,
    },
    /// A hash that is none.
    #[error("`{text}` is no NAR hash")]
    Hash {
        /// As the recipe has it.
        text: String,
        /// Why.
        source: nixdata::HashError,
    },
    /// A NAR cannot hold what is in a path.
    #[error("cannot take the NAR hash of `{}`", .path.display())]
    Nar {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// What is known of the layer could not be kept: the disk is full.
    #[error("cannot write the cache")]
    Cache {
        /// Why not.
        source: io::Error,
    },
    /// Whoever wanted the layer went away, or its maker did.
    #[error("the layer was not finished")]
    Stopped,
    /// The layer was made, but could not be put where it belongs.
    #[error("cannot write the layer")]
    Write {
        /// Why.
        source: io::Error,
    },
}

/// What is known of a layer once it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl LayerRecipe {
    /// Makes the layer while it is read.
    ///
    /// # Errors
    /// If no thread can be started. What is wrong with the recipe or its paths, reading says.
    pub fn open(self: Arc<Self>, root: &StoreRoot) -> Result<LayerReader, LayerError> {
        let disk = disk::Disk::new(root.clone());
        LayerReader::spawn(move |out| {
            let walk = walk::Walk::new(&self, disk, out)?;
            match self.dialect {
                Dialect::N2c1 if self.stamp != Stamp::default() => {
                    let what = "another time or owner than root's".to_owned();
                    Err(LayerError::Dialect { dialect: "n2c-1", what })
                }
                Dialect::N2c1 => walk.write(),
                Dialect::Dockertools1 => walk.write_dockertools(),
            }
        })
    }

    /// Makes the layer, passes each piece of it to `each`, and says what it is.
    ///
    /// # Errors
    /// Every [`LayerError`].
    pub fn make(
        self: Arc<Self>,
        root: &StoreRoot,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Measured, LayerError> {
        let mut reader = self.open(root)?;
        let mut hasher = Hasher::default();
        let mut size = 0;
        loop {
            let chunk = reader.fill_buf().map_err(layer_error)?;
            if chunk.is_empty() {
                return Ok(Measured { diff_id: hasher.finish(), size });
            }
            hasher.update(chunk);
            each(chunk).map_err(|source| LayerError::Write { source })?;
            let taken = chunk.len();
            size += taken as u64;
            reader.consume(taken);
        }
    }

    /// Makes the layer, or takes what it is from the cache; then nothing is passed to `each`, and no file was read.
    pub(crate) fn make_cached(
        self: Arc<Self>,
        root: &StoreRoot,
        cache: Option<&Cache>,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Measured, LayerError> {
        let Some((cache, key)) = cache.zip(self.own_key()) else { return self.make(root, each) };
        if let Some(measured) = cache.measured(&key) {
            self.look(root)?;
            return Ok(measured);
        }
        let measured = self.make(root, each)?;
        cache.add_measured(&key, &measured).map_err(|source| LayerError::Cache { source })?;
        Ok(measured)
    }

    /// Looks whether the paths are there.
    pub(crate) fn look(&self, root: &StoreRoot) -> Result<(), LayerError> {
        let disk = disk::Disk::new(root.clone());
        self.paths.iter().try_for_each(|path| disk.look(path.plain, path.path.as_bytes()).map(drop))
    }

    /// Makes the layer only to learn what it is.
    ///
    /// # Errors
    /// Every [`LayerError`].
    pub fn measure(self: Arc<Self>, root: &StoreRoot) -> Result<Measured, LayerError> {
        self.make(root, &mut |_| Ok(()))
    }
}

/// The layer's own error in what a [`LayerReader`] reports.
fn layer_error(error: io::Error) -> LayerError {
    error.downcast().unwrap_or_else(|source| LayerError::Write { source })
}

#[cfg(test)]
mod tests;
