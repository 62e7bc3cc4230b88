//! The git checkout that a folder is in, as far as slots need it. Git's own files are read; no git is run.
//!
//! The layout is that of <https://git-scm.com/docs/gitrepository-layout>: a linked worktree has a file `.git` that
//! names its folder of administration, `…/worktrees/NAME`, and in that a file `commondir`.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// Longer than any path that a system takes.
const LONGEST: u64 = 16 << 10;

/// The checkout that a folder is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// There is none.
    None,
    /// The one that the repository was made with.
    Primary(PathBuf),
    /// One that `git worktree add` made.
    Linked(Worktree),
}

/// A linked worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its root, without symbolic links.
    pub(crate) root: PathBuf,
    /// Where the repository keeps what it knows of it.
    pub(crate) admin: PathBuf,
}

/// A checkout that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// A file cannot be read. The cause names it.
    #[error("cannot tell which checkout this is")]
    Read(#[source] io::Error),
    /// A file `.git` that is not git's.
    #[error("`{}` does not begin with `gitdir: `", .0.display())]
    NoGitFile(PathBuf),
    /// The repository is not where the worktree says.
    #[error("`{}` names `{}`, which is not there", file.display(), names.display())]
    Broken {
        /// The file `.git`.
        file: PathBuf,
        /// The folder it names.
        names: PathBuf,
    },
}

impl Checkout {
    /// Finds the checkout around a folder. A submodule belongs to the checkout that it is in.
    ///
    /// # Errors
    /// When git's files cannot be read or do not say what they should.
    pub fn around(folder: &Path) -> Result<Self, CheckoutError> {
        let folder = fs::canonicalize(folder).map_err(CheckoutError::Read)?;
        let mut submodule = None;
        for root in folder.ancestors() {
            let file = root.join(".git");
            let metadata = match fs::metadata(&file) {
                Ok(metadata) => metadata,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(CheckoutError::Read(error)),
            };
            if metadata.is_dir() {
                return Ok(Self::Primary(root.to_owned()));
            }
            let admin = named_by(&file)?;
            if fs::metadata(admin.join("commondir")).is_ok() {
                return Ok(Self::Linked(Worktree { root: root.to_owned(), admin }));
            }
            if !admin.components().any(|part| part.as_os_str() == "modules") {
                // `git init --separate-git-dir` makes such a file.
                return Ok(Self::Primary(root.to_owned()));
            }
            submodule.get_or_insert_with(|| root.to_owned());
        }
        Ok(submodule.map_or(Self::None, Self::Primary))
    }
}

impl Worktree {
    /// Its root, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the repository that it shares with the others.
    pub(crate) fn repository(&self) -> Option<&Path> {
        repository(&self.admin)
    }

    /// Whether it was surely removed: neither is it there, nor does its repository know it at that place.
    /// What cannot be told counts as being there.
    pub(crate) fn is_gone(&self) -> bool {
        let is_absent_file = |path: &Path| {
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
        };
        if !is_absent_file(&self.root.join(".git")) {
            return false;
        }
        match line_of(&self.admin.join("gitdir")) {
            Err(error) => error.kind() == ErrorKind::NotFound,
            // Moved: it is another one now.
            Ok(line) => self.admin.join(as_path(&line)) != self.root.join(".git"),
        }
    }
}

/// The repository of a folder of administration, `REPOSITORY/worktrees/NAME`.
pub(crate) fn repository(admin: &Path) -> Option<&Path> {
    admin.parent()?.parent()
}

/// The folder that a file `.git` names.
fn named_by(file: &Path) -> Result<PathBuf, CheckoutError> {
    let line = line_of(file).map_err(CheckoutError::Read)?;
    let named =
        line.strip_prefix(b"gitdir:").ok_or_else(|| CheckoutError::NoGitFile(file.to_owned()))?;
    let named = file.with_file_name("").join(as_path(named.trim_ascii_start()));
    fs::canonicalize(&named).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            CheckoutError::Broken { file: file.to_owned(), names: named }
        }
        _ => CheckoutError::Read(error),
    })
}

/// A file of one line, without its line feed. A path may hold anything else.
fn line_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    fs::File::open(file)?.take(LONGEST).read_to_end(&mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(line)
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = fs::canonicalize(folder.path()).unwrap();
        (folder, root)
    }

    #[test]
    fn primary_linked_and_none() {
        let (_folder, root) = folder(&[
            ("main/.git/HEAD", ""),
            ("main/src/x", ""),
            ("main/.git/worktrees/a/commondir", "../..\n"),
            ("main/.git/worktrees/a/gitdir", "../../../../a/.git\n"),
            ("a/.git", "gitdir: ../main/.git/worktrees/a\n"),
            ("a/deep/er/x", ""),
            ("b/.git", "gitdir: /no/such\n"),
            ("c/.git", "something\n"),
            ("d/.git", "gitdir: ../main/.git"),
        ]);
        let around = |name: &str| Checkout::around(&root.join(name));
        assert_eq!(around("main/src").unwrap(), Checkout::Primary(root.join("main")));
        assert_eq!(around("d").unwrap(), Checkout::Primary(root.join("d")));
        let Checkout::Linked(worktree) = around("a/deep/er").unwrap() else { panic!() };
        assert_eq!(worktree.root(), root.join("a"));
        assert_eq!(worktree.repository(), Some(root.join("main/.git").as_path()));
        assert!(matches!(around("b"), Err(CheckoutError::Broken { .. })));
        assert!(matches!(around("c"), Err(CheckoutError::NoGitFile(_))));
        assert!(matches!(around("no"), Err(CheckoutError::Read(_))));
        // Above a temporary folder there is no checkout.
        assert_eq!(around("").unwrap(), Checkout::None);
    }

    #[test]
    fn a_submodule_is_where_it_is() {
        let (_folder, root) = folder(&[
            ("main/.git/worktrees/a/commondir", "../..\n"),
            ("main/.git/worktrees/a/modules/sub/HEAD", ""),
            ("main/.git/modules/sub/HEAD", ""),
            ("main/sub/.git", "gitdir: ../.git/modules/sub\n"),
            ("a/.git", "gitdir: ../main/.git/worktrees/a\n"),
            ("a/sub/.git", "gitdir: ../../main/.git/worktrees/a/modules/sub\n"),
        ]);
        let around = |name: &str| Checkout::around(&root.join(name)).unwrap();
        assert_eq!(around("main/sub"), Checkout::Primary(root.join("main")));
        let Checkout::Linked(worktree) = around("a/sub") else { panic!() };
        assert_eq!(worktree.root(), root.join("a"));
    }

    #[test]
    fn gone_is_only_what_nobody_knows_any_more() {
        let (_folder, root) = folder(&[
            ("main/.git/worktrees/a/commondir", "../..\n"),
            ("a/.git", "gitdir: ../main/.git/worktrees/a\n"),
        ]);
        let Checkout::Linked(worktree) = Checkout::around(&root.join("a")).unwrap() else {
            panic!()
        };
        let admin = root.join("main/.git/worktrees/a");
        let names = |path: &Path| {
            fs::write(admin.join("gitdir"), format!("{}\n", path.join(".git").display())).unwrap();
        };
        names(&root.join("a"));
        assert!(!worktree.is_gone());
        fs::remove_dir_all(root.join("a")).unwrap();
        assert!(!worktree.is_gone(), "removed by hand: the repository still counts with it");
        names(&root.join("elsewhere"));
        assert!(worktree.is_gone(), "moved");
        fs::remove_dir_all(&admin).unwrap();
        assert!(worktree.is_gone());
    }
}
