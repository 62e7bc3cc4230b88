//! `npm1`: nixpkgs' `fetchNpmDeps` with `fetcherVersion` 1, a cache of npm's own form (`cacache`) and the lockfile.
//!
//! `content-v2` holds each archive by its hash, `index-v5` a line for each URL; both exist even when they are empty.

use std::path::Path;

use nixdata::{Encoding, Hash};
use serde::Serialize;
use sha1::{Digest as _, Sha1};

use super::{Download, Plan, PlanError};
use crate::lock::{LockError, NpmLock};
use crate::tree::{Content, Node};

/// Plans the cache.
///
/// # Errors
/// When the lockfile is broken, or an archive of a registry has no integrity.
pub(super) fn plan(path: &Path, text: &str) -> Result<Plan, PlanError> {
    let lock = NpmLock::parse(path, text)?;
    let mut plan = Plan { downloads: Vec::new(), checkouts: Vec::new(), tree: Node::directory() };
    for folder in ["_cacache/content-v2", "_cacache/index-v5"] {
        plan.tree.insert(folder, Node::directory());
    }
    for package in lock.packages {
        let label = package.label().to_owned();
        if package.is_git() {
            return Err(PlanError::Unsupported {
                path: path.display().to_string(),
                what: format!("git dependencies of npm (`{label}`) are not computed yet"),
            });
        }
        let hash = package.integrity.ok_or_else(|| LockError {
            path: path.to_owned(),
            line: None,
            what: format!("`{label}` has no integrity"),
        })?;
        let number = plan.downloads.len();
        // Two URLs may lead to the same archive: one file, and a line for each.
        plan.tree.insert(
            &format!("_cacache/content-v2/{}", content_path(&hash)),
            Node::file(Content::Download(number)),
        );
        let key = format!("make-fetch-happen:request-cache:{}", package.url);
        let place = format!("_cacache/index-v5/{}", fan_out(&Hash::sha256_of(key.as_bytes())));
        let (url, integrity) = (package.url.clone(), hash.sri());
        let line = move |size| index_line(&key, &integrity, size, &url);
        plan.tree.insert(&place, Node::file(Content::OfSize(number, Box::new(line))));
        plan.downloads.push(Download { label, url: package.url, hash: Some(hash) });
    }
    plan.tree.insert("package-lock.json", Node::file(Content::Bytes(text.as_bytes().to_owned())));
    Ok(plan)
}

/// `sha512/ab/cd/ef…`.
fn content_path(hash: &Hash) -> String {
    format!("{}/{}", hash.algorithm(), fan_out(hash))
}

/// `ab/cd/ef…`.
fn fan_out(hash: &Hash) -> String {
    let hex = hash.bare(Encoding::Base16);
    format!("{}/{}/{}", &hex[..2], &hex[2..4], &hex[4..])
}

#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    integrity: &'a str,
    time: u8,
    size: u64,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    url: &'a str,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    compress: bool,
}

/// The SHA-1 of a JSON object, a tab, and the object.
fn index_line(key: &str, integrity: &str, size: u64, url: &str) -> Vec<u8> {
    let metadata = Metadata { url, options: Options { compress: true } };
    let line = Line { key, integrity, time: 0, size, metadata };
    // Strings and numbers always have a JSON form.
    let json = serde_json::to_string(&line).unwrap_or_default();
    let digest: [u8; 20] = Sha1::digest(json.as_bytes()).into();
    let hash = Hash::new(nixdata::Algorithm::Sha1, &digest);
    let hex = hash.map(|hash| hash.bare(Encoding::Base16)).unwrap_or_default();
    format!("{hex}\t{json}").into_bytes()
}
