//! From what a person types to a store path: `./result`, `/nix/store/…-app`, a file below it.

use std::io;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use nixdata::StorePath;

use crate::NixError;

/// As many links as Linux follows.
const LINK_LIMIT: usize = 40;

/// Finds the store path that a path is, is in, or leads to.
///
/// As in Nix, links are followed only until the first path inside a store: a store path that is a
/// link itself is a root of its own. The store path need not exist here, so that a store under
/// another root (`--store local?root=…`) works.
///
/// # Errors
/// When the links end outside a store or cannot be followed.
pub fn resolve_root(root: &Path, cwd: &Path) -> Result<StorePath, NixError> {
    let failed = |source: io::Error| NixError::Root { root: root.to_owned(), source };
    let mut path = cwd.join(root);
    for _ in 0..LINK_LIMIT {
        path = lexically_clean(&path);
        if let Some(found) = enclosing_store_path(&path) {
            return Ok(found);
        }
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        if !metadata.is_symlink() {
            break;
        }
        let target = fs::read_link(&path).map_err(failed)?;
        path = path.parent().map_or_else(|| target.clone(), |parent| parent.join(&target));
    }
    // `result/bin/app`, where the link is not the last component.
    let end = fs::canonicalize(&path).map_err(failed)?;
    enclosing_store_path(&end).ok_or_else(|| NixError::NotInStore {
        root: root.to_owned(),
        end: (end != cwd.join(root)).then_some(end),
    })
}

/// Removes `.`, and `..` with what precedes it, as Nix does before it looks at a path.
fn lexically_clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

/// Finds the first prefix of a path that reads as a store path of some store.
fn enclosing_store_path(path: &Path) -> Option<StorePath> {
    let mut prefixes: Vec<&Path> = path.ancestors().collect();
    prefixes.reverse();
    prefixes.into_iter().find_map(|prefix| prefix.to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const PATH: &str = "/nix/store/1dw7ymnnai9zj90p23jpfy9zfi007l2s-app";

    #[test]
    fn links_files_and_store_paths() {
        let dir = tempfile::tempdir().unwrap();
        let cwd = dir.path();
        symlink(PATH, cwd.join("result")).unwrap();
        symlink("result", cwd.join("again")).unwrap();
        symlink("loop", cwd.join("loop")).unwrap();
        symlink("/tmp", cwd.join("elsewhere")).unwrap();
        fs::write(cwd.join("file"), "").unwrap();
        let resolve = |root: &str| resolve_root(Path::new(root), cwd);
        for root in ["result", "./again", PATH, &format!("{PATH}/bin/app"), "x/../result"] {
            assert_eq!(resolve(root).unwrap().as_str(), PATH, "{root}");
        }
        assert!(matches!(resolve("loop"), Err(NixError::Root { .. })));
        assert!(matches!(resolve("missing"), Err(NixError::Root { .. })));
        assert_eq!(
            resolve("file").unwrap_err().to_string(),
            "`file` is no store path, nor a link to one"
        );
        assert_eq!(
            resolve("elsewhere").unwrap_err().to_string(),
            "`elsewhere` is no store path, nor a link to one (it leads to `/tmp`)"
        );
    }

    #[test]
    fn a_store_below_a_real_directory() {
        let dir = tempfile::tempdir().unwrap();
        let store = fs::canonicalize(dir.path()).unwrap().join("store");
        let app = store.join("1dw7ymnnai9zj90p23jpfy9zfi007l2s-app");
        fs::create_dir_all(app.join("bin")).unwrap();
        symlink(&app, dir.path().join("result")).unwrap();
        let found = resolve_root(Path::new("result/bin"), dir.path()).unwrap();
        assert_eq!(found.as_path(), app);
    }
}
