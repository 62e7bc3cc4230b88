//! Closures that Nix was asked for before. Of a store path everything that a closure says is fixed, so it is asked for
//! once; a path that is gone means that it is asked for again.

use std::io;
use std::path::PathBuf;

use nixdata::{Closure, StorePath, parse_graph};
use oci::Digest;
use oci::cache::Cache;
use serde_json::json;

/// What is kept for these roots.
pub(crate) struct Kept {
    cache: Cache,
    key: Digest,
    root: PathBuf,
}

impl Kept {
    /// The closure of these roots, below a folder that stands for `/`.
    pub(crate) fn new(cache: Cache, roots: &[StorePath], root: PathBuf) -> Self {
        let names: Vec<_> = roots.iter().map(StorePath::as_str).collect();
        let key = Digest::of(format!("closure\n{}", names.join("\n")));
        Self { cache, key, root }
    }

    /// The closure, if it is known and all of it is there.
    pub(crate) fn get(&self) -> Option<Closure> {
        let bytes = self.cache.document(&self.key)?;
        let closure = Closure::new(parse_graph(&bytes, None).ok()?).ok()?;
        let is_there = |path: &StorePath| {
            let path = self.root.join(path.as_str().trim_start_matches('/'));
            fs_err::symlink_metadata(path).is_ok()
        };
        closure.paths().iter().all(|info| is_there(&info.path)).then_some(closure)
    }

    pub(crate) fn add(&self, closure: &Closure) -> io::Result<()> {
        let info = |info: &nixdata::PathInfo| {
            let references: Vec<_> = info.references.iter().map(StorePath::as_str).collect();
            json!({
                "path": info.path.as_str(),
                "narHash": info.nar_hash.as_ref().map(ToString::to_string),
                "narSize": info.nar_size,
                "references": references,
            })
        };
        // What Nix did not say is not worth keeping.
        if closure.paths().iter().any(|info| info.nar_hash.is_none() || info.nar_size.is_none()) {
            return Ok(());
        }
        let all: Vec<_> = closure.paths().iter().map(info).collect();
        self.cache.add_document(&self.key, serde_json::Value::from(all).to_string().as_bytes())
    }
}
