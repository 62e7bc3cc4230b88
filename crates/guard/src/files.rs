//! Files held against the rules: those named, those staged, or all that git knows.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gitcmd::{Git, GitError};

use crate::allow::{Excuse, Excuses};
use crate::finding::Finding;
use crate::input::{self, ReadError};
use crate::judge::{Disk, Judge, MAX_BYTES, Tree, plain};
use crate::policy::{Globs, Policy};
use crate::scan::{Kind, ScanError};

/// Which files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// These, as they are on disk.
    Paths(Vec<PathBuf>),
    /// What the next commit changes, as the index holds it.
    Staged,
    /// Everything in the index, as it is on disk.
    All,
}

/// What the files are, before the baseline.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    /// Files that could not be judged.
    pub(crate) faults: Vec<Fault>,
    /// Excuses without a reason: the file and the line.
    pub(crate) unreasoned: Vec<(PathBuf, usize)>,
    /// How many files were looked at.
    pub(crate) files: usize,
}

/// A file that could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("failed to read a file")]
    Read(#[source] ReadError),
    #[error("`{}` is a folder", path.display())]
    Folder { path: PathBuf },
    #[error("failed to judge `{}`", path.display())]
    Scan { path: PathBuf, source: ScanError },
}

/// The index, as far as it differs from the disk.
struct Index<'a> {
    git: &'a Git,
    texts: BTreeMap<PathBuf, String>,
    names: OnceCell<Vec<PathBuf>>,
}

impl Tree for Index<'_> {
    fn has_beside(&self, path: &Path, globs: &Globs) -> bool {
        // A list that git does not give has nothing in it; the error shows at the next question.
        let names = self.names.get_or_init(|| self.git.files().unwrap_or_default());
        let path = path.strip_prefix(self.git.root()).unwrap_or(path);
        names.iter().any(|name| name.parent() == path.parent() && globs.matches(name))
    }

    fn text_of(&self, path: &Path) -> Option<String> {
        self.texts.get(path).cloned().or_else(|| Disk.text_of(path))
    }
}

/// Judges a selection of files.
pub(crate) fn judge(
    policy: &Policy,
    folder: &Path,
    selection: &Selection,
) -> Result<Judged, GitError> {
    let mut judged = Judged::default();
    match selection {
        Selection::Paths(paths) => {
            let judge = Judge { policy, tree: &Disk, folder };
            for path in paths {
                let path = plain(&folder.join(path));
                if path.is_dir() {
                    judged.faults.push(Fault::Folder { path });
                } else {
                    judged.on_disk(&judge, &path, true);
                }
            }
        }
        Selection::All => {
            let git = Git::around(folder);
            let judge = Judge { policy, tree: &Disk, folder: git.root() };
            for path in git.files()? {
                judged.on_disk(&judge, &git.root().join(path), false);
            }
        }
        Selection::Staged => judged.staged(policy, &Git::around(folder))?,
    }
    judged.findings.sort_by(|a, b| {
        (&a.file, a.place, a.rule, &a.text).cmp(&(&b.file, b.place, b.rule, &b.text))
    });
    judged.findings.dedup();
    Ok(judged)
}

impl Judged {
    /// Judges one file on disk; one that is gone is a fault only when it was `named`.
    fn on_disk(&mut self, judge: &Judge<'_>, path: &Path, named: bool) {
        let kind = Kind::of(path);
        let rough = judge.file(path, None);
        if judge.policy.excludes(path) || (kind.is_none() && rough.is_empty() && !named) {
            self.files += 1;
            return;
        }
        let metadata = match fs_err::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return,
            Err(error) => {
                self.faults.push(Fault::Read(ReadError::Io(error)));
                return;
            }
        };
        self.files += 1;
        // A link's target is judged where it is; a submodule is a folder.
        let text = if metadata.is_file() && (kind.is_some() || !rough.is_empty()) {
            match read(path, kind.filter(|_| rough.is_empty())) {
                Ok(text) => text,
                // What may not be there at all need not be read.
                Err(ReadError::TooBig { .. }) if !rough.is_empty() => String::new(),
                Err(error) => {
                    self.faults.push(Fault::Read(error));
                    String::new()
                }
            }
        } else {
            String::new()
        };
        if !metadata.is_dir() {
            self.one(judge, path, &text, rough);
        }
    }

    /// Judges what is staged, by three questions to git at most.
    fn staged(&mut self, policy: &Policy, git: &Git) -> Result<(), GitError> {
        let staged = git.staged()?;
        let root = git.root();
        // Which contents matter is known by the names alone.
        let wanted = staged.iter().filter_map(|staged| {
            let path = root.join(&staged.path);
            let by_name = policy.rules.iter().any(|rule| rule.files.matches(&staged.path));
            let matters = Kind::of(&path).is_some() || by_name;
            let blob = staged.blob.as_deref().filter(|_| matters && !policy.excludes(&path))?;
            Some((path, blob))
        });
        let wanted: Vec<(PathBuf, &str)> = wanted.collect();
        let blobs: Vec<&str> = wanted.iter().map(|(_, blob)| *blob).collect();
        let (mut texts, mut too_big) = (BTreeMap::new(), Vec::new());
        git.contents(&blobs, MAX_BYTES, |number, content| {
            let Some((path, _)) = wanted.get(number) else { return };
            match content {
                Some(content) => drop(texts.insert(path.clone(), input::text(content))),
                None => too_big.push(number),
            }
        })?;
        for number in too_big {
            let Some((path, blob)) = wanted.get(number) else { continue };
            let by_name = policy.rules.iter().any(|rule| rule.files.matches(policy.relative(path)));
            let is_data = Kind::of(path) == Some(Kind::Script) && git.head(blob, 2)? != b"#!";
            if !by_name && !is_data {
                let fault = ReadError::TooBig { path: path.clone(), limit: MAX_BYTES };
                self.faults.push(Fault::Read(fault));
            }
        }
        let index = Index { git, texts, names: OnceCell::new() };
        let judge = Judge { policy, tree: &index, folder: root };
        for staged in &staged {
            let path = root.join(&staged.path);
            let text = index.texts.get(&path).map_or("", String::as_str);
            self.files += 1;
            self.one(&judge, &path, text, judge.file(&path, None));
        }
        Ok(())
    }

    /// Judges one file by its text; `rough` is what its name says.
    fn one(&mut self, judge: &Judge<'_>, path: &Path, text: &str, rough: Vec<Finding>) {
        if judge.policy.excludes(path) {
            return;
        }
        let mut findings = rough;
        if let Some(kind) = Kind::of(path).filter(|_| !text.is_empty()) {
            match kind.judge(judge, path, text) {
                Ok(found) => findings.extend(found),
                Err(source) => self.faults.push(Fault::Scan { path: path.to_owned(), source }),
            }
        }
        if findings.is_empty() {
            return;
        }
        let excuses = Excuses::of(text);
        for finding in findings {
            match excuses.excuse(judge.policy, &finding) {
                Excuse::Given => continue,
                Excuse::WithoutReason(line) => self.unreasoned.push((path.to_owned(), line)),
                Excuse::None => {}
            }
            self.findings.push(finding);
        }
    }
}

/// Reads a file; of one that may be a script, only the beginning when it is none.
fn read(path: &Path, kind: Option<Kind>) -> Result<String, ReadError> {
    if kind == Some(Kind::Script) {
        let mut start = Vec::new();
        fs_err::File::open(path)?.take(2).read_to_end(&mut start)?;
        if start != b"#!" {
            return Ok(String::new());
        }
    }
    input::read(path, MAX_BYTES)
}
