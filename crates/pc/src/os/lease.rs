//! Leases: what tells the next start what a run that was killed, guardian and all, left behind.
//!
//! A lease is a file that its run keeps locked, so a lease that can be locked is a dead run's. It names the boot, the
//! namespace of process numbers, the run, and each process with its start time. What a dead run left is recognised by
//! the mark of the run in its environment, or by number and start time together; it is signalled through a handle that
//! was opened before that was looked at. A lease of another boot is deleted and never acted on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cli::{Env, Var};
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, getuid};
use serde::{Deserialize, Serialize};

use super::{Handle, Relative, everybody, identity, send, start_time, was_started_with};

/// The variable that marks everything that a run starts.
pub(crate) const RUN_VARIABLE: &str = "PC_RUN_ID";
/// How long what a dead run left may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long it may take to disappear when killed.
const BURIAL: Duration = Duration::from_secs(5);
/// A lease names a few thousand processes at most; a longer one is none of ours.
const MAX_BYTES: u64 = 16 << 20;

/// A lease that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    #[error("cannot keep a lease in `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("`{}` belongs to somebody else", .0.display())]
    Foreign(PathBuf),
    #[error("cannot tell which boot this is")]
    Identity(#[source] io::Error),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    boot: String,
    namespace: String,
    run: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    pid: i32,
    start: u64,
}

/// The lease of this run. It is removed when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    path: PathBuf,
    file: fs::File,
    run: String,
}

impl Lease {
    /// Writes the lease of a new run.
    pub(crate) fn take(env: &Env) -> Result<Self, LeaseError> {
        let folder = folder(env)?;
        let (boot, namespace) = identity().map_err(LeaseError::Identity)?;
        let mut random = [0_u8; 16];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| LeaseError::Identity(error.into()))?;
        let run = random.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        });
        let path = folder.join(format!("{run}.lease"));
        let header = Header { boot, namespace, run: run.clone() };
        let made = || -> io::Result<fs::File> {
            // Locked before it has its name: a lease that can be locked is a dead run's.
            let beside = folder.join(format!("{run}.new"));
            let mut file =
                fs::OpenOptions::new().create_new(true).append(true).mode(0o600).open(&beside)?;
            flock(file.file(), FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(line(&header)?.as_bytes())?;
            fs::rename(&beside, &path)?;
            Ok(file)
        };
        let file = made().map_err(|error| LeaseError::File(folder.clone(), error))?;
        Ok(Self { path, file, run })
    }

    /// The folder it is in, which is this user's alone.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// What marks the processes of this run.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Notes a process that was just started, and is our child.
    pub(crate) fn add(&mut self, pid: Pid) -> io::Result<()> {
        let pid = pid.as_raw_nonzero().get();
        match start_time(pid) {
            Some(start) => self.file.write_all(line(&Entry { pid, start })?.as_bytes()),
            None => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The next start finds it otherwise, and finds nothing to do.
        let _removed = fs::remove_file(&self.path);
    }
}

fn line(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// The folder of leases, which is ours alone.
fn folder(env: &Env) -> Result<PathBuf, LeaseError> {
    let folder = match env.get(Var::XdgRuntimeDir).map(PathBuf::from) {
        Some(runtime) if runtime.is_absolute() && runtime.is_dir() => runtime.join("likewise-pc"),
        _ => {
            let temporary =
                env.get(Var::TmpDir).map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
            temporary.join(format!("likewise-pc-{}", getuid().as_raw()))
        }
    };
    let file = |error| LeaseError::File(folder.clone(), error);
    match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(file(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).map_err(file)?;
    let is_ours = found.is_dir() && found.uid() == getuid().as_raw() && found.mode() & 0o022 == 0;
    if is_ours { Ok(folder) } else { Err(LeaseError::Foreign(folder)) }
}

/// Ends what dead runs left behind, and says what that was.
pub(crate) fn clean_up(env: &Env) -> Result<Vec<String>, LeaseError> {
    let folder = folder(env)?;
    let error = |error| LeaseError::File(folder.clone(), error);
    let identity = identity().map_err(LeaseError::Identity)?;
    let mut ended = Vec::new();
    for entry in fs::read_dir(&folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|extension| extension == "lease") {
            // A lease that cannot be read is left for its owner to see.
            if let Some(dead) = dead(&path) {
                ended.extend(settle(&path, &dead, &identity));
            }
        }
    }
    Ok(ended)
}

/// The text of a lease whose run is dead; the lock lasts as long as the file is open.
struct Dead {
    text: String,
    _file: fs::File,
}

fn dead(path: &Path) -> Option<Dead> {
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .ok()?;
    flock(file.file(), FlockOperation::NonBlockingLockExclusive).ok()?;
    if file.metadata().ok()?.len() > MAX_BYTES {
        return None;
    }
    let text = io::read_to_string(file.file()).ok()?;
    Some(Dead { text, _file: file })
}

/// Ends what a dead run left and removes its lease.
fn settle(path: &Path, dead: &Dead, identity: &(String, String)) -> Vec<String> {
    let mut lines = dead.text.lines();
    let header = lines.next().and_then(|line| serde_json::from_str::<Header>(line).ok());
    let Some(header) = header else {
        let _removed = fs::remove_file(path);
        return Vec::new();
    };
    if header.boot != identity.0 {
        // Its numbers mean nothing any more.
        let _removed = fs::remove_file(path);
        return Vec::new();
    }
    if header.namespace != identity.1 {
        // Its numbers mean something else here.
        return Vec::new();
    }
    let entries = lines.filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    let starts: BTreeMap<i32, u64> = entries.map(|entry| (entry.pid, entry.start)).collect();
    let mark = format!("{RUN_VARIABLE}={}", header.run);
    let is_left = |relative: &Relative| {
        let is_named = starts.get(&relative.pid) == Some(&relative.start);
        !relative.is_zombie && (is_named || was_started_with(relative.pid, &mark))
    };
    let (ended, is_done) = end_all(&is_left);
    if is_done {
        let _removed = fs::remove_file(path);
    }
    ended
}

/// TERM, then KILL, until none is left that `is_left` means.
fn end_all(is_left: &dyn Fn(&Relative) -> bool) -> (Vec<String>, bool) {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let begin = Instant::now();
    let mut ended = BTreeMap::new();
    loop {
        let elapsed = begin.elapsed();
        let mut any = false;
        for relative in everybody() {
            // A zombie is its parent's business.
            if relative.is_zombie || relative.pid == own {
                continue;
            }
            let Some(handle) = Pid::from_raw(relative.pid).and_then(|pid| Handle::of(pid).ok())
            else {
                continue;
            };
            // Looked at after the handle was opened: the handle means the process that this is true of.
            let is_same = start_time(relative.pid) == Some(relative.start);
            if !is_same || !is_left(&relative) {
                continue;
            }
            any = true;
            let shown = format!("{} ({})", relative.name, relative.pid);
            let is_new = ended.insert(relative.pid, shown).is_none();
            let _sent = if elapsed >= GRACE {
                send(&handle, Signal::KILL)
            } else if is_new {
                send(&handle, Signal::TERM).and_then(|()| send(&handle, Signal::CONT))
            } else {
                Ok(())
            };
        }
        if !any {
            return (ended.into_values().collect(), true);
        }
        if elapsed >= GRACE + BURIAL {
            return (ended.into_values().collect(), false);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
