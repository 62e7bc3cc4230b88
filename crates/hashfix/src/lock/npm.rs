//! `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1, 2 and 3, read as nixpkgs' `fetchNpmDeps` does.
//!
//! Its reading is not npm's: an entry of version 2 or 3 whose `resolved` is no URL is passed over in silence, and of
//! version 1 a `version` that is a URL wins over `resolved`. [npm's page on the
//! format](https://docs.npmjs.com/cli/configuring-npm/package-lock-json) says what the keys mean.

use std::collections::BTreeMap;
use std::path::Path;

use nixdata::{Algorithm, Hash};
use serde::Deserialize;

use super::LockError;

/// What a lockfile pins, each URL once, sorted by URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NpmLock {
    pub(crate) packages: Vec<Pinned>,
    /// Entries without a URL: nothing is fetched for them.
    pub(crate) without_url: usize,
}

/// A URL, and what comes from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    /// The place of the entry: `node_modules/lodash`.
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) integrity: Option<Hash>,
}

impl Pinned {
    /// `lodash`, for words to a person.
    pub(crate) fn label(&self) -> &str {
        self.name.rsplit_once("node_modules/").map_or(&self.name, |(_, name)| name)
    }

    /// Whether it comes out of a git repository.
    pub(crate) fn is_git(&self) -> bool {
        ["git:", "git+ssh:", "git+https:", "ssh:"].iter().any(|scheme| self.url.starts_with(scheme))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    lockfile_version: u64,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
struct Package {
    resolved: Option<serde_json::Value>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
}

#[derive(Deserialize)]
struct Dependency {
    version: String,
    #[serde(default)]
    bundled: bool,
    resolved: Option<serde_json::Value>,
    integrity: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, Self>,
}

impl NpmLock {
    /// Reads the text of a lockfile.
    ///
    /// # Errors
    /// When it is no such document, has a version that nobody knows, or a hash that is none.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, LockError> {
        let error = |line, what| LockError { path: path.to_owned(), line, what };
        let document: Document = serde_json::from_str(text)
            .map_err(|fault| error(Some(fault.line()), fault.to_string()))?;
        let mut found = Found::default();
        match document.lockfile_version {
            1 => found.dependencies(document.dependencies, ""),
            2 | 3 => found.packages(document.packages),
            other => Err(format!("lockfileVersion {other} is not one of 1, 2 and 3")),
        }
        .map_err(|what| error(None, what))?;
        Ok(Self { packages: found.pinned.into_values().collect(), without_url: found.without_url })
    }
}

#[derive(Default)]
struct Found {
    pinned: BTreeMap<String, Pinned>,
    without_url: usize,
}

impl Found {
    fn packages(&mut self, packages: BTreeMap<String, Package>) -> Result<(), String> {
        for (name, package) in packages {
            if name.is_empty() {
                continue;
            }
            match package.resolved.as_ref().and_then(|value| value.as_str()) {
                Some(url) if is_url(url) => self.add(name, url, package.integrity.as_deref())?,
                _ if package.link => {}
                _ => self.without_url += 1,
            }
        }
        Ok(())
    }

    fn dependencies(
        &mut self,
        dependencies: BTreeMap<String, Dependency>,
        above: &str,
    ) -> Result<(), String> {
        for (name, dependency) in dependencies {
            // Its files are inside another package's archive.
            if dependency.bundled {
                continue;
            }
            let name = format!("{above}node_modules/{name}");
            let resolved = dependency.resolved.as_ref().and_then(|value| value.as_str());
            let url = if dependency.version.starts_with("npm:") {
                resolved.map(str::to_owned)
            } else {
                hosted(&dependency.version)
                    .or_else(|| is_url(&dependency.version).then(|| dependency.version.clone()))
                    .or_else(|| resolved.map(str::to_owned))
            };
            match url {
                Some(url) if is_url(&url) => {
                    self.add(name.clone(), &url, dependency.integrity.as_deref())?;
                }
                _ => self.without_url += 1,
            }
            self.dependencies(dependency.dependencies, &format!("{name}/"))?;
        }
        Ok(())
    }

    /// Takes an entry in; of two with one URL the stronger hash stays.
    fn add(&mut self, name: String, url: &str, integrity: Option<&str>) -> Result<(), String> {
        let integrity = integrity.map(|text| strongest(&name, text)).transpose()?;
        let known = self.pinned.entry(url.to_owned()).or_insert_with(|| Pinned {
            name,
            url: url.to_owned(),
            integrity,
        });
        known.integrity =
            [known.integrity, integrity].into_iter().flatten().max_by_key(Hash::algorithm);
        Ok(())
    }
}

/// `github:user/name#rev` as the repository that it stands for.
fn hosted(version: &str) -> Option<String> {
    let hosts =
        [("github", "github.com"), ("gitlab", "gitlab.com"), ("bitbucket", "bitbucket.org")];
    let (scheme, rest) = version.split_once(':')?;
    let (_, host) = hosts.iter().find(|(name, _)| *name == scheme)?;
    let (path, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let path = path.strip_suffix(".git").unwrap_or(path);
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Some(format!("git+ssh://git@{host}/{path}.git{fragment}"))
}

/// Whether a text has a scheme: `1.2.3` has none.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(is_scheme)
        && !rest.is_empty()
}

/// The strongest of the hashes in an `integrity`: sha512 before sha1, as `fetchNpmDeps` knows no others.
fn strongest(name: &str, integrity: &str) -> Result<Hash, String> {
    let hashes = integrity.split_ascii_whitespace().map(|hash| {
        // Options may follow a question mark.
        let hash = hash.split('?').next().unwrap_or_default();
        hash.parse::<Hash>().map_err(|fault| format!("the integrity of `{name}`: {fault}"))
    });
    let known = |hash: &Hash| matches!(hash.algorithm(), Algorithm::Sha1 | Algorithm::Sha512);
    let hashes: Vec<Hash> = hashes.collect::<Result<_, _>>()?;
    hashes.into_iter().filter(known).max_by_key(Hash::algorithm).ok_or_else(|| {
        format!("the integrity of `{name}` is neither sha512 nor sha1: `{integrity}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        let lock = NpmLock::parse(Path::new("package-lock.json"), text).unwrap();
        lock.packages.into_iter().map(|package| package.url).collect()
    }

    #[test]
    fn versions_2_and_3_take_what_has_a_url() {
        let text = r#"{"lockfileVersion": 3, "packages": {
            "": {"resolved": "https://x/root.tgz"},
            "node_modules/b": {"resolved": "https://x/b.tgz", "integrity": "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
            "node_modules/a": {"resolved": "packages/a", "link": true},
            "node_modules/c": {"version": "1.0.0"},
            "node_modules/d": {"resolved": true}}}"#;
        let lock = NpmLock::parse(Path::new("package-lock.json"), text).unwrap();
        assert_eq!(lock.packages.len(), 1);
        assert_eq!((lock.packages[0].label(), lock.without_url), ("b", 2));
    }

    #[test]
    fn version_1_is_a_tree() {
        let text = r#"{"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "resolved": "https://x/a.tgz",
                  "dependencies": {"b": {"version": "npm:c@1", "resolved": "https://x/c.tgz"}}},
            "d": {"version": "github:u/d#0a", "resolved": "https://x/no.tgz"},
            "e": {"version": "https://x/e.tgz"},
            "f": {"version": "1", "bundled": true, "resolved": "https://x/f.tgz"}}}"#;
        assert_eq!(
            urls(text),
            [
                "git+ssh://git@github.com/u/d.git#0a",
                "https://x/a.tgz",
                "https://x/c.tgz",
                "https://x/e.tgz"
            ]
        );
    }

    #[test]
    fn a_broken_lock_is_named() {
        let error = |text| NpmLock::parse(Path::new("p.json"), text).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"lockfileVersion": 9}"#),
            "p.json: lockfileVersion 9 is not one of 1, 2 and 3"
        );
        assert!(error("{\n1}").starts_with("p.json:2: "), "{}", error("{\n1}"));
    }
}
