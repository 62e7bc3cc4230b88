//! Store paths: `/nix/store/<32 nix32 digits>-<name>`.
//!
//! The rules are those of Nix's `StorePath` and `checkName`: a name has 1 to 211 of the characters
//! `0-9 A-Z a-z + - . _ ? =` and its first dash-separated part is neither `.` nor `..`.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::nix32;

/// The digits of the hash part.
const HASH_LEN: usize = 32;
/// The longest name that Nix accepts.
const NAME_LIMIT: usize = 211;

/// Why a text is no store path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorePathError {
    /// A store directory that is not an absolute, normalised path.
    #[error(
        "the store directory `{0}` is not an absolute path without `.`, `..` and doubled slashes"
    )]
    StoreDir(String),
    /// A path outside the store directory.
    #[error("`{path}` is not in the store `{store}`")]
    Outside {
        /// The path.
        path: String,
        /// The store directory.
        store: StoreDir,
    },
    /// A path below a store path where the store path itself was asked for.
    #[error("`{path}` lies inside the store path `{inside}`")]
    Below {
        /// The path.
        path: String,
        /// The store path that holds it.
        inside: StorePath,
    },
    /// A base name that does not begin with 32 nix32 digits and a dash.
    #[error("`{0}` does not begin with 32 nix32 digits and a dash")]
    HashPart(String),
    /// No name after the dash, or one that is too long.
    #[error("the name of `{base}` has {length} characters but must have 1 to {NAME_LIMIT}")]
    NameLength {
        /// The base name.
        base: String,
        /// The length of the name in bytes.
        length: usize,
    },
    /// A character that Nix does not allow in a name.
    #[error("the name of `{base}` holds `{character}`, which no store path may", base = base.escape_debug(), character = character.escape_debug())]
    NameCharacter {
        /// The base name.
        base: String,
        /// The first such character.
        character: char,
    },
    /// A name whose first dash-separated part is `.` or `..`.
    #[error("the name of `{0}` begins with `.` or `..` as a part of its own")]
    NameDots(String),
}

/// The directory that holds a store: `/nix/store`, unless the store was built for another place.
///
/// ```
/// use nixdata::StoreDir;
/// assert_eq!(StoreDir::default().as_str(), "/nix/store");
/// assert!("/opt/store/".parse::<StoreDir>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreDir(Arc<str>);

impl StoreDir {
    /// Gives the directory as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the directory as a path.
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_str())
    }

    /// Reads a base name, `<hash>-<name>`, as a path of this store.
    ///
    /// # Errors
    /// When the hash part or the name breaks Nix's rules.
    pub fn path(&self, base: &str) -> Result<StorePath, StorePathError> {
        check_base(base)?;
        Ok(StorePath { full: format!("{}/{base}", self.0).into(), base: self.0.len() + 1 })
    }

    /// Reads a full path, which must be a store path itself and not a file inside one.
    ///
    /// # Errors
    /// When the path is outside this store, below a store path, or breaks Nix's rules.
    pub fn parse(&self, path: &str) -> Result<StorePath, StorePathError> {
        let (found, rest) = self.locate(path)?;
        if rest.is_empty() {
            Ok(found)
        } else {
            Err(StorePathError::Below { path: path.to_owned(), inside: found })
        }
    }

    /// Finds the store path that holds a file, and the file's path inside it (empty, or with a
    /// leading slash).
    ///
    /// ```
    /// use nixdata::StoreDir;
    /// let (path, inside) =
    ///     StoreDir::default().locate("/nix/store/1dw7ymnnai9zj90p23jpfy9zfi007l2s-app/bin/app")?;
    /// assert_eq!(path.name(), "app");
    /// assert_eq!(inside, "/bin/app");
    /// # Ok::<(), nixdata::StorePathError>(())
    /// ```
    ///
    /// # Errors
    /// When the path is outside this store or its first component breaks Nix's rules.
    pub fn locate<'a>(&self, path: &'a str) -> Result<(StorePath, &'a str), StorePathError> {
        let outside = || StorePathError::Outside { path: path.to_owned(), store: self.clone() };
        let below = path.strip_prefix(self.as_str()).ok_or_else(outside)?;
        let below = below.strip_prefix('/').ok_or_else(outside)?;
        let end = below.find('/').unwrap_or(below.len());
        let (base, rest) = below.split_at(end);
        Ok((self.path(base)?, rest))
    }
}

impl Default for StoreDir {
    fn default() -> Self {
        Self("/nix/store".into())
    }
}

impl FromStr for StoreDir {
    type Err = StorePathError;

    fn from_str(text: &str) -> Result<Self, StorePathError> {
        let normal = text.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && !rest.contains(['\0', '\n'])
        });
        if normal { Ok(Self(text.into())) } else { Err(StorePathError::StoreDir(text.to_owned())) }
    }
}

impl fmt::Display for StoreDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for StoreDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreDir({})", self.as_str())
    }
}

/// A store path: the directory of the store, the hash part and the name.
///
/// Ordered by the bytes of the full path, and cheap to clone.
///
/// ```
/// use nixdata::StorePath;
/// let path: StorePath = "/nix/store/1dw7ymnnai9zj90p23jpfy9zfi007l2s-app".parse()?;
/// assert_eq!(path.hash_part(), "1dw7ymnnai9zj90p23jpfy9zfi007l2s");
/// assert_eq!(path.name(), "app");
/// assert_eq!(path.store_dir().as_str(), "/nix/store");
/// # Ok::<(), nixdata::StorePathError>(())
/// ```
#[derive(Clone)]
pub struct StorePath {
    full: Arc<str>,
    base: usize,
}

impl StorePath {
    /// Gives the full path as text.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// Gives the full path.
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_str())
    }

    /// Gives `<hash>-<name>`.
    pub fn base_name(&self) -> &str {
        &self.full[self.base..]
    }

    /// Gives the 32 digits that narinfo files are named by.
    pub fn hash_part(&self) -> &str {
        &self.base_name()[..HASH_LEN]
    }

    /// Gives the name: `hello-2.12.1`, `app.drv`.
    pub fn name(&self) -> &str {
        &self.base_name()[HASH_LEN + 1..]
    }

    /// Gives the directory of the store.
    pub fn store_dir(&self) -> StoreDir {
        StoreDir(self.full[..self.base - 1].into())
    }

    /// Says whether this is a derivation file.
    pub fn is_derivation(&self) -> bool {
        self.as_path().extension().is_some_and(|extension| extension == "drv")
    }
}

impl FromStr for StorePath {
    type Err = StorePathError;

    /// Reads a full path; what precedes the last slash is the store directory.
    fn from_str(text: &str) -> Result<Self, StorePathError> {
        let (dir, base) =
            text.rsplit_once('/').ok_or_else(|| StorePathError::StoreDir(text.to_owned()))?;
        dir.parse::<StoreDir>()?.path(base)
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorePath({})", self.as_str())
    }
}

impl PartialEq for StorePath {
    fn eq(&self, other: &Self) -> bool {
        self.full == other.full
    }
}

impl Eq for StorePath {}

impl PartialOrd for StorePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for StorePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.full.cmp(&other.full)
    }
}

impl Hash for StorePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.full.hash(state);
    }
}

/// Maps keyed by store path can be asked with the text of one.
impl Borrow<str> for StorePath {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<Path> for StorePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

fn check_base(base: &str) -> Result<(), StorePathError> {
    let bytes = base.as_bytes();
    if bytes.len() <= HASH_LEN
        || bytes[HASH_LEN] != b'-'
        || !bytes[..HASH_LEN].iter().copied().all(nix32::is_digit)
    {
        return Err(StorePathError::HashPart(base.to_owned()));
    }
    // The 32 digits and the dash are ASCII, so the cut is on a character.
    let name = &base[HASH_LEN + 1..];
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '?' | '=');
    if let Some(character) = name.chars().find(|c| !allowed(*c)) {
        return Err(StorePathError::NameCharacter { base: base.to_owned(), character });
    }
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(StorePathError::NameLength { base: base.to_owned(), length: name.len() });
    }
    if matches!(name.split('-').next(), Some("." | "..")) {
        return Err(StorePathError::NameDots(base.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "1dw7ymnnai9zj90p23jpfy9zfi007l2s";

    fn base(name: &str) -> Result<StorePath, StorePathError> {
        StoreDir::default().path(&format!("{HASH}-{name}"))
    }

    #[test]
    fn names_follow_nix() {
        // Each was tried with `nix-store --add` or `builtins.toFile` of Nix 2.34.
        for name in
            ["a", "A+b-c._?=9", "...", ".a", "..a", ".git", "-", "-.", "a-.", &"x".repeat(211)]
        {
            assert!(base(name).is_ok(), "{name}");
        }
        for name in [".", "..", ".-a", "..-a", "", "a b", "a/b", "ä", "a\n", "a~", &"x".repeat(212)]
        {
            assert!(base(name).is_err(), "{name}");
        }
    }

    #[test]
    fn parts_of_a_path() {
        let path: StorePath = format!("/opt/my store/{HASH}-a-1.0.drv").parse().unwrap();
        assert_eq!(path.store_dir().as_str(), "/opt/my store");
        assert_eq!(path.base_name(), format!("{HASH}-a-1.0.drv"));
        assert_eq!(path.hash_part(), HASH);
        assert_eq!(path.name(), "a-1.0.drv");
        assert!(path.is_derivation());
        assert_eq!(path.to_string(), format!("/opt/my store/{HASH}-a-1.0.drv"));
    }

    #[test]
    fn wrong_paths_say_why() {
        let store = StoreDir::default();
        let message = |path: &str| store.parse(path).unwrap_err().to_string();
        assert_eq!(message("/tmp/x"), "`/tmp/x` is not in the store `/nix/store`");
        assert_eq!(message("/nix/storex"), "`/nix/storex` is not in the store `/nix/store`");
        assert_eq!(message("/nix/store/"), "`` does not begin with 32 nix32 digits and a dash");
        assert_eq!(
            message("/nix/store/abc"),
            "`abc` does not begin with 32 nix32 digits and a dash"
        );
        assert_eq!(
            message(&format!("/nix/store/{HASH}-a/bin")),
            format!("`/nix/store/{HASH}-a/bin` lies inside the store path `/nix/store/{HASH}-a`")
        );
        assert_eq!(
            message(&format!("/nix/store/{HASH}-a b")),
            format!("the name of `{HASH}-a b` holds ` `, which no store path may")
        );
        assert_eq!(
            message(&format!("/nix/store/{HASH}-")),
            format!("the name of `{HASH}-` has 0 characters but must have 1 to 211")
        );
        assert!(message(&format!("/nix/store/{}-a", HASH.replace('d', "e"))).contains("nix32"));
        for dir in
            ["", "/", "nix/store", "/nix//store", "/nix/./store", "/nix/../store", "/nix/store/"]
        {
            assert!(dir.parse::<StoreDir>().is_err(), "{dir}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_prints(hash in "[0-9a-df-np-sv-z]{32}", name in "[0-9A-Za-z+_?=][0-9A-Za-z+._?=-]{0,40}") {
            let text = format!("/nix/store/{hash}-{name}");
            let path: StorePath = text.parse().unwrap();
            prop_assert_eq!(path.as_str(), &text);
            prop_assert_eq!(path.name(), name);
            prop_assert_eq!(StoreDir::default().parse(&text).unwrap(), path);
        }

        #[test]
        fn never_panics(text in any::<String>(), base in "[0-9a-z]{30,33}.?[^/]{0,5}") {
            drop(text.parse::<StorePath>());
            drop(text.parse::<StoreDir>());
            drop(StoreDir::default().path(&base));
            drop(StoreDir::default().locate(&format!("/nix/store/{text}")));
        }

        #[test]
        fn orders_by_bytes(a in "[0-9a-d]{32}-[A-z]{1,3}", b in "[0-9a-d]{32}-[A-z]{1,3}") {
            let store = StoreDir::default();
            if let (Ok(x), Ok(y)) = (store.path(&a), store.path(&b)) {
                prop_assert_eq!(x.cmp(&y), a.as_bytes().cmp(b.as_bytes()));
            }
        }
    }
}
