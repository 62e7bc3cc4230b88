//! The slots of a user's linked worktrees: a file, so that two worktrees never share one.
//!
//! A line of the file is the slot, the worktree's root and its folder in the repository, with tabs between them and
//! backslashes before what a line cannot hold. It is read as it is, and written under a lock, beside and renamed.
//!
//! A slot is kept when its worktree is removed, so that one that is made again at the same place has it again. It is
//! given to another worktree only when no slot is left that nobody ever had.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::TryLockError;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use fs_err as fs;

use crate::checkout::{Worktree, repository};

const HEADER: &str = "# Slots of git worktrees, written by `ports`: slot, worktree, its folder in the repository. Format 1";
/// More than all slots with long paths.
const LARGEST: u64 = 16 << 20;
/// How often the lock is tried, and the pause between: half a minute, where writing takes milliseconds.
const TRIES: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

/// The number of a worktree: 0 is every primary checkout, a linked worktree has one of its own.
pub type Slot = u16;

/// The file that holds the slots.
#[derive(Debug, Clone)]
pub struct Ledger {
    file: PathBuf,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    slot: Slot,
    worktree: Worktree,
}

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read. The cause names it.
    #[error("cannot read the slots of worktrees")]
    Read(#[source] io::Error),
    /// A line is not one of a ledger.
    #[error("`{}`:{line}: {what}", file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// It cannot be written. The cause names it.
    #[error("cannot write the slots of worktrees")]
    Write(#[source] io::Error),
    /// Somebody holds the lock and does not let go.
    #[error("`{}` is locked by another program", .0.display())]
    Locked(PathBuf),
}

/// How candidates for a slot are judged.
pub(crate) trait Fit {
    /// The slots to try, the best first.
    fn candidates(&self) -> impl Iterator<Item = Slot>;

    /// Whether one can be, beside the slots of the repository's other worktrees.
    fn fits(&self, slot: Slot, others: &[Slot]) -> bool;
}

impl Ledger {
    /// The ledger in a user's folder for state, `$XDG_STATE_HOME`.
    pub fn in_state_home(state_home: &Path) -> Self {
        Self { file: state_home.join("likewise/worktree-slots") }
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The slot that a worktree has.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn slot(&self, worktree: &Worktree) -> Result<Option<Slot>, LedgerError> {
        Ok(slot_of(&self.read()?, worktree))
    }

    /// Gives a worktree a slot: the one it has, if it has one and shall not `renew` it. None when no candidate fits;
    /// nothing is changed then.
    pub(crate) fn allocate(
        &self,
        worktree: &Worktree,
        fit: &impl Fit,
        renew: bool,
    ) -> Result<Option<Slot>, LedgerError> {
        let _lock = self.lock()?;
        let mut held = self.read()?;
        let old = slot_of(&held, worktree);
        if old.is_some() && !renew {
            return Ok(old);
        }
        held.retain(|held| held.worktree.root != worktree.root);
        let free = |held: &[&Held]| {
            let taken: BTreeSet<Slot> = held.iter().map(|held| held.slot).chain(old).collect();
            let is_sibling = |held: &&&Held| {
                let repository = held.worktree.repository();
                repository.is_some() && repository == worktree.repository()
            };
            let siblings: Vec<Slot> =
                held.iter().filter(is_sibling).map(|held| held.slot).collect();
            fit.candidates().find(|slot| !taken.contains(slot) && fit.fits(*slot, &siblings))
        };
        let all: Vec<&Held> = held.iter().collect();
        // Only when there is nothing else, what a removed worktree had is given away.
        let there = || held.iter().filter(|held| !held.worktree.is_gone()).collect::<Vec<_>>();
        let Some(slot) = free(&all).or_else(|| free(&there())) else { return Ok(None) };
        held.retain(|held| held.slot != slot);
        held.push(Held { slot, worktree: worktree.clone() });
        self.write(held)?;
        Ok(Some(slot))
    }

    fn read(&self) -> Result<Vec<Held>, LedgerError> {
        let file = match fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LedgerError::Read(error)),
        };
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text).map_err(LedgerError::Read)?;
        let corrupt =
            |line: usize, what| LedgerError::Corrupt { file: self.file.clone(), line, what };
        if text.len() as u64 > LARGEST {
            return Err(corrupt(1, "it is too large for a list of slots"));
        }
        let mut lines = text.split(|&byte| byte == b'\n').enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER.as_bytes()) {
            return Err(corrupt(1, "it is not a list of slots as this version writes it"));
        }
        let mut held: Vec<Held> = Vec::new();
        let (mut slots, mut roots) = (BTreeSet::new(), BTreeSet::new());
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let one = parse(line)
                .ok_or_else(|| corrupt(index + 1, "the line is not a slot and two paths"))?;
            if !slots.insert(one.slot) || !roots.insert(one.worktree.root.clone()) {
                return Err(corrupt(index + 1, "the slot or the worktree is there twice"));
            }
            held.push(one);
        }
        Ok(held)
    }

    fn write(&self, mut held: Vec<Held>) -> Result<(), LedgerError> {
        held.sort_by_key(|held| held.slot);
        let mut text = format!("{HEADER}\n");
        for Held { slot, worktree } in &held {
            let _infallible =
                writeln!(text, "{slot}\t{}\t{}", escaped(&worktree.root), escaped(&worktree.admin));
        }
        // Where the file is a symbolic link, what it leads to is written.
        let file = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let folder = file.parent().unwrap_or(Path::new("."));
        let named = |error: io::Error| {
            let what = format!("`{}`: {error}", file.display());
            LedgerError::Write(io::Error::new(error.kind(), what))
        };
        let mut beside = tempfile::Builder::new()
            .prefix(".worktree-slots-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(named)?;
        beside.write_all(text.as_bytes()).map_err(named)?;
        beside.as_file().sync_all().map_err(named)?;
        beside.persist(&file).map_err(|error| named(error.error))?;
        Ok(())
    }

    /// Waits until nobody else writes; the lock lasts as long as the file is open.
    fn lock(&self) -> Result<fs::File, LedgerError> {
        let path = self.file.with_extension("lock");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(LedgerError::Write)?;
        }
        // One that another user made, by sudo, can be locked as long as it can be read.
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut options = fs::OpenOptions::new();
                options.write(true).create(true).truncate(false).open(&path)
            }
            other => other,
        };
        let file = file.map_err(LedgerError::Write)?;
        for _ in 0..TRIES {
            match file.file().try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(LedgerError::Write(error)),
            }
        }
        Err(LedgerError::Locked(path))
    }
}

fn slot_of(held: &[Held], worktree: &Worktree) -> Option<Slot> {
    held.iter().find(|held| held.worktree.root == worktree.root).map(|held| held.slot)
}

fn parse(line: &[u8]) -> Option<Held> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let slot: Slot = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (root, admin) = (unescaped(fields.next()?)?, unescaped(fields.next()?)?);
    let is_whole = slot > 0 && root.is_absolute() && repository(&admin).is_some();
    (is_whole && fields.next().is_none())
        .then_some(Held { slot, worktree: Worktree { root, admin } })
}

/// A path on a line: bytes that are no printable ASCII as `\xHH`.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn unescaped(text: &[u8]) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'\\' {
            let (code, after) = after.strip_prefix(b"x")?.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests;
