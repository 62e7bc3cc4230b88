//! What a store knows about one path.

use crate::{ContentAddress, Hash, StorePath};

/// What a store knows about one path.
///
/// Only the path and its references are always known: a references graph, for one, has no hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    /// The path.
    pub path: StorePath,
    /// The SHA-256 of its NAR.
    pub nar_hash: Option<Hash>,
    /// The size of its NAR in bytes.
    pub nar_size: Option<u64>,
    /// The paths it refers to, itself among them where it does, sorted, each once.
    pub references: Vec<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
    /// How its name follows from its content, where it does.
    pub ca: Option<ContentAddress>,
    /// Signatures, `<key name>:<base 64>`, in the order given.
    pub signatures: Vec<String>,
}

impl PathInfo {
    /// Makes a record that knows nothing but the path and its references.
    pub fn new(path: StorePath, mut references: Vec<StorePath>) -> Self {
        references.sort_unstable();
        references.dedup();
        Self {
            path,
            nar_hash: None,
            nar_size: None,
            references,
            deriver: None,
            ca: None,
            signatures: Vec::new(),
        }
    }
}
