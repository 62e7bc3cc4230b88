//! The files that are looked at, and what is read of them.

use std::io::{ErrorKind, Read as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fs_err as fs;
use gitcmd::{Git, GitError};

use super::sheet::Sheet;

/// A larger file is not written by people.
const LARGEST: u64 = 1 << 20;
/// How much of what is staged is held at a time.
const BATCH: usize = 64 << 20;
/// How much of a file tells that it is no text, as git has it.
const HEAD: usize = 8_000;

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

/// What was found in the files.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// Those that hold something, in the order of their paths.
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) faults: Vec<Fault>,
    /// The top of the project: the root of the checkout, else the working directory.
    pub(crate) top: PathBuf,
}

/// A file that could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("failed to read a file")]
    Read(#[source] std::io::Error),
    #[error("`{}` is not a file", .0.display())]
    NoFile(PathBuf),
}

impl Selection {
    /// Reads the files.
    pub(crate) fn read(&self, folder: &Path) -> Result<Selected, GitError> {
        let git = Git::around(folder);
        let mut selected = Selected { top: git.root().to_owned(), ..Selected::default() };
        match self {
            Self::Paths(paths) => {
                let mut paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
                paths.sort();
                paths.dedup();
                selected.take(each(&paths, |path| on_disk(path, true)));
            }
            Self::All => {
                let mut paths: Vec<PathBuf> =
                    git.files()?.iter().map(|path| git.root().join(path)).collect();
                // One with a conflict is in the index several times.
                paths.dedup();
                selected.take(each(&paths, |path| on_disk(path, false)));
            }
            Self::Staged => selected.staged(&git)?,
        }
        selected.sheets.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(selected)
    }
}

impl Selected {
    fn take(&mut self, found: Vec<Result<Option<Sheet>, Fault>>) {
        for found in found {
            match found {
                Ok(sheet) => self.sheets.extend(sheet),
                Err(fault) => self.faults.push(fault),
            }
        }
    }

    fn staged(&mut self, git: &Git) -> Result<(), GitError> {
        let staged = git.staged()?;
        let wanted = staged.iter().filter_map(|staged| {
            let path = git.root().join(&staged.path);
            Some((path, staged.blob.as_deref().filter(|_| Sheet::is_looked_at(&staged.path))?))
        });
        let (paths, blobs): (Vec<PathBuf>, Vec<&str>) = wanted.unzip();
        let mut batch: Vec<(&Path, Vec<u8>)> = Vec::new();
        let mut size = 0;
        let mut found = Vec::new();
        let look = |batch: &[(&Path, Vec<u8>)]| {
            let sheets =
                each(batch, |(path, bytes)| is_text(bytes).then(|| Sheet::of(path, bytes)));
            sheets.into_iter().flatten().flatten().collect::<Vec<Sheet>>()
        };
        git.contents(&blobs, LARGEST, |number, content| {
            if let (Some(path), Some(content)) = (paths.get(number), content) {
                size += content.len();
                batch.push((path, content));
            }
            if size > BATCH {
                found.extend(look(&batch));
                batch.clear();
                size = 0;
            }
        })?;
        found.extend(look(&batch));
        self.sheets.extend(found);
        Ok(())
    }
}

/// Does something with each item, on all cores; what comes out is in the order of the items.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // A thread costs as much as some dozens of files.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(items.len() / 32 + 1);
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        let join = |running: thread::ScopedJoinHandle<'_, Vec<(usize, R)>>| {
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Looks at a file on disk. One that git knows may be gone, a symbolic link or a submodule; one that is `named` may not.
fn on_disk(path: &Path, named: bool) -> Result<Option<Sheet>, Fault> {
    if !named && !Sheet::is_looked_at(path) {
        return Ok(None);
    }
    let metadata = if named { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error)
            if !named && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(Fault::Read(error)),
    };
    if !metadata.is_file() {
        // A pipe would be waited for.
        return if named { Err(Fault::NoFile(path.to_owned())) } else { Ok(None) };
    }
    if metadata.len() > LARGEST {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    let file = fs::File::open(path).map_err(Fault::Read)?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(Fault::Read)?;
    Ok(is_text(&bytes).then(|| Sheet::of(path, &bytes)).flatten())
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(HEAD)].contains(&0)
}
