//! Lockfiles as text: which kind one is, and what it pins.

mod cargo;
mod npm;
mod yarn1;

use std::path::{Path, PathBuf};

pub(crate) use cargo::{CargoLock, Source};
pub(crate) use npm::NpmLock;
pub(crate) use yarn1::{Entry as YarnEntry, YarnLock};

/// A lockfile that is larger is refused: 20,000 entries are 10 MB.
pub(crate) const MAX_BYTES: u64 = 128 << 20;

/// The formats, each with its own package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `yarn.lock` of yarn 1.
    Yarn1,
    /// `yarn.lock` of yarn 2 and later.
    Berry,
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    Npm,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `Cargo.lock`.
    Cargo,
    /// `go.sum`.
    Go,
}

impl Format {
    /// The format of a file, by what it holds and else by its name.
    pub(crate) fn of(path: &Path, text: &str) -> Option<Self> {
        // Only the head is looked at: every format says there what it is.
        let head: Vec<&str> = text.lines().take(40).collect();
        let has = |what: &str| head.iter().any(|line| line.starts_with(what));
        if has("__metadata:") {
            return Some(Self::Berry);
        }
        if has("# yarn lockfile v1") {
            return Some(Self::Yarn1);
        }
        if has("lockfileVersion:") {
            return Some(Self::Pnpm);
        }
        let name = path.file_name()?.to_str()?;
        let ends = |end: &str| name == end || name.ends_with(&format!(".{end}"));
        [
            ("yarn.lock", Self::Yarn1),
            ("package-lock.json", Self::Npm),
            ("npm-shrinkwrap.json", Self::Npm),
            ("pnpm-lock.yaml", Self::Pnpm),
            ("Cargo.lock", Self::Cargo),
            ("go.sum", Self::Go),
        ]
        .into_iter()
        .find(|(end, _)| ends(end))
        .map(|(_, format)| format)
    }
}

/// What is wrong with a lockfile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub(crate) struct LockError {
    /// The file.
    pub(crate) path: PathBuf,
    /// The line, where the format has lines that mean something.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
}

/// A lockfile's text, before its format is looked at.
///
/// # Errors
/// When it is not UTF-8, or still has the marks of a merge.
pub(crate) fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, LockError> {
    let error = |line, what: &str| LockError { path: path.to_owned(), line, what: what.to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let before = &bytes[..fault.valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        error(Some(line), "it is not UTF-8")
    })?;
    let marks = ["<<<<<<< ", ">>>>>>> ", "||||||| "];
    let marked = |line: &str| line == "=======" || marks.iter().any(|mark| line.starts_with(mark));
    match text.lines().position(marked) {
        Some(at) => Err(error(Some(at + 1), "a merge is not settled here")),
        None => Ok(text),
    }
}
