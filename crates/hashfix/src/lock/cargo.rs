//! `Cargo.lock`, all versions: the checksum stands with its package, in version 1 in a table of its own.

use std::collections::BTreeMap;
use std::path::Path;

use nixdata::{Algorithm, Hash};
use serde::Deserialize;

use super::LockError;

/// What a lockfile pins; packages of the workspace itself are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CargoLock {
    pub(crate) packages: Vec<Locked>,
}

/// One package from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) source: Source,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The public registry.
    CratesIo { checksum: Hash },
    /// Another registry, by its index.
    Registry { index: String },
    /// A git repository.
    Git { url: String, rev: String },
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

impl CargoLock {
    /// Reads the text of a lockfile.
    ///
    /// # Errors
    /// When it is no such document, or lacks the checksum of a package from a registry.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, LockError> {
        let error = |line, what| LockError { path: path.to_owned(), line, what };
        let document: Document = toml::from_str(text).map_err(|fault| {
            let line = fault.span().map(|span| 1 + text[..span.start].matches('\n').count());
            error(line, fault.message().to_owned())
        })?;
        let mut packages = Vec::new();
        for package in document.package {
            let Some(source) = &package.source else { continue };
            let Package { name, version, .. } = &package;
            let source = if is_crates_io(source) {
                let listed =
                    document.metadata.get(&format!("checksum {name} {version} ({source})"));
                let text =
                    package.checksum.as_ref().or(listed).ok_or_else(|| {
                        error(None, format!("`{name} {version}` has no checksum"))
                    })?;
                let checksum = Hash::parse_with(text, Algorithm::Sha256).map_err(|fault| {
                    error(None, format!("the checksum of `{name} {version}`: {fault}"))
                })?;
                Source::CratesIo { checksum }
            } else if let Some(git) = source.strip_prefix("git+") {
                let (url, rev) = git.split_once('#').ok_or_else(|| {
                    error(None, format!("`{name} {version}` is locked to no revision: `{source}`"))
                })?;
                let url = url.split('?').next().unwrap_or_default();
                Source::Git { url: url.to_owned(), rev: rev.to_owned() }
            } else {
                Source::Registry { index: source.clone() }
            };
            packages.push(Locked { name: package.name, version: package.version, source });
        }
        Ok(Self { packages })
    }
}

fn is_crates_io(source: &str) -> bool {
    matches!(
        source,
        "registry+https://github.com/rust-lang/crates.io-index" | "sparse+https://index.crates.io/"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_are_read() {
        let zeros = "0".repeat(64);
        let new = format!(
            "version = 4\n[[package]]\nname = \"me\"\nversion = \"1.0.0\"\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{zeros}\"\n"
        );
        let old = format!(
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
             [metadata]\n\"checksum a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\" = \"{zeros}\"\n"
        );
        let new = CargoLock::parse(Path::new("Cargo.lock"), &new).unwrap();
        assert_eq!(new, CargoLock::parse(Path::new("Cargo.lock"), &old).unwrap());
        assert_eq!(new.packages.len(), 1);
    }

    #[test]
    fn git_sources_have_a_revision() {
        let text = |source| {
            format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n")
        };
        let lock =
            CargoLock::parse(Path::new("l"), &text("git+https://x/y?branch=z#0a1b")).unwrap();
        assert_eq!(
            lock.packages[0].source,
            Source::Git { url: "https://x/y".to_owned(), rev: "0a1b".to_owned() }
        );
        let error = CargoLock::parse(Path::new("l"), &text("git+https://x/y")).unwrap_err();
        assert_eq!(error.to_string(), "l: `a 1.0.0` is locked to no revision: `git+https://x/y`");
    }
}
