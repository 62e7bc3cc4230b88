//! Where the registry is, when nobody names it.

use std::path::{Path, PathBuf};

use fs_err as fs;

/// The places of a registry below one folder, as projects have them.
pub const CANDIDATES: [&str; 6] = [
    "lib/ports.nix",
    "nix/ports.nix",
    "ports.nix",
    "modules/ports.nix",
    "lib/config/ports.nix",
    "config/ports.nix",
];

/// Why no registry was found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// Two candidates at one level: neither is obviously the one.
    #[error("both `{}` and `{}` are here", first.display(), second.display())]
    Ambiguous {
        /// One of them.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// There is none.
    #[error("there is no port registry in `{}` or above it, up to `{}`", start.display(), top.display())]
    Nowhere {
        /// Where the search began.
        start: PathBuf,
        /// Where it ended.
        top: PathBuf,
    },
}

/// Searches `start` and the folders above it, up to the root of the git checkout. Outside of one, only `start` is
/// searched: what lies above may belong to somebody else.
///
/// The path is relative to `start` where it is below it.
///
/// # Errors
/// When two candidates are at one level, or there is none.
pub fn find(start: &Path) -> Result<PathBuf, DiscoverError> {
    let is_checkout = |folder: &Path| fs::symlink_metadata(folder.join(".git")).is_ok();
    let top = start.ancestors().find(|folder| is_checkout(folder)).unwrap_or(start);
    for folder in start.ancestors() {
        let mut found = CANDIDATES
            .iter()
            .map(|name| folder.join(name))
            .filter(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
        if let Some(first) = found.next() {
            if let Some(second) = found.next() {
                return Err(DiscoverError::Ambiguous { first, second });
            }
            return Ok(first.strip_prefix(start).map_or(first.clone(), Path::to_owned));
        }
        if folder == top {
            break;
        }
    }
    Err(DiscoverError::Nowhere { start: start.to_owned(), top: top.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{ }").unwrap();
        }
        folder
    }

    #[test]
    fn up_to_the_checkout() {
        let folder = folder(&["lib/ports.nix", "app/.git", "app/src/x"]);
        let root = folder.path();
        assert!(matches!(find(&root.join("app/src")), Err(DiscoverError::Nowhere { .. })));
        fs::write(root.join("app/ports.nix"), "{ }").unwrap();
        assert_eq!(find(&root.join("app/src")).unwrap(), root.join("app/ports.nix"));
        assert_eq!(find(&root.join("app")).unwrap(), Path::new("ports.nix"));
    }

    #[test]
    fn without_a_checkout_only_here() {
        let folder = folder(&["lib/ports.nix", "app/src/x"]);
        assert!(matches!(find(&folder.path().join("app")), Err(DiscoverError::Nowhere { .. })));
        assert_eq!(find(folder.path()).unwrap(), Path::new("lib/ports.nix"));
    }

    #[test]
    fn two_at_one_level() {
        let folder = folder(&["lib/ports.nix", "config/ports.nix"]);
        let error = find(folder.path()).unwrap_err();
        let words = error.to_string().replace(&folder.path().display().to_string(), "");
        assert_eq!(words, "both `/lib/ports.nix` and `/config/ports.nix` are here");
    }
}
