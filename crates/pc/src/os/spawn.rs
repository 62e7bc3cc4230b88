//! Starting programs: `posix_spawn`, which neither copies our memory nor runs our code in the child.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

/// Asks for a new session. The nix crate does not name it; the number is the C library's.
const SETSID: i32 = if cfg!(target_os = "macos") { 0x400 } else { 0x80 };

/// So many programs are started at a time.
const MAX_THREADS: usize = 8;

/// A program that could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    #[error("cannot use the folder `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot start `{program}`")]
    Program { program: String, source: io::Error },
    #[error("`{0}` holds a NUL byte")]
    Nul(String),
    #[error("there is no command")]
    Nothing,
}

impl SpawnError {
    /// As a shell answers it: 127 for a program that is not there, else 126.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Program { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }
}

/// Where a stream goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stdio<'a> {
    /// Nowhere.
    Null,
    /// Where ours goes.
    Inherit,
    /// To this file.
    Fd(BorrowedFd<'a>),
}

/// A program to start.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) argv: &'a [CString],
    pub(crate) environment: &'a [CString],
    pub(crate) folder: &'a Path,
    pub(crate) streams: [Stdio<'a>; 3],
    /// A terminal in place of the streams.
    pub(crate) terminal: Option<&'a CStr>,
    /// One more descriptor, with the number it has there.
    pub(crate) extra: Option<(BorrowedFd<'a>, RawFd)>,
    /// Leads a session of its own.
    pub(crate) session: bool,
}

impl Target<'_> {
    /// The words of a command line as C wants them.
    pub(crate) fn words<S: AsRef<OsStr>>(
        words: impl IntoIterator<Item = S>,
    ) -> Result<Vec<CString>, SpawnError> {
        let word = |word: S| {
            let word = word.as_ref();
            CString::new(word.as_bytes())
                .map_err(|_| SpawnError::Nul(word.to_string_lossy().replace('\0', "\\0")))
        };
        words.into_iter().map(word).collect()
    }
}

/// Starts programs from the main thread: the folder of a program is ours for the moment of its start.
#[derive(Debug)]
pub(crate) struct Spawner {
    null: OwnedFd,
    folder: PathBuf,
    /// What programs get when our own limit of descriptors was raised.
    limit: Option<Rlimit>,
    raised: Rlimit,
}

impl Spawner {
    /// Raises the limit of descriptors for us alone, if `descriptors` may be too many for it.
    pub(crate) fn new(descriptors: u64) -> io::Result<Self> {
        let null = OwnedFd::from(
            fs_err::File::options().read(true).write(true).open("/dev/null")?.into_file(),
        );
        let old = getrlimit(Resource::Nofile);
        let mut raised = old;
        let is_short = old.current.is_some_and(|current| current < descriptors);
        if is_short {
            raised.current =
                raised.maximum.map_or(Some(descriptors), |most| Some(most.min(descriptors)));
        }
        let limit = (is_short && setrlimit(Resource::Nofile, raised).is_ok()).then_some(old);
        Ok(Self { null, folder: PathBuf::new(), limit, raised })
    }

    /// Starts it.
    pub(crate) fn spawn(&mut self, target: &Target<'_>) -> Result<Pid, SpawnError> {
        self.within(target.folder, |spawner| spawner.spawn_here(target))?
    }

    /// Starts many that share a folder. Who starts one waits until the kernel has loaded it, so several wait at a time.
    pub(crate) fn spawn_all(&mut self, targets: &[Target<'_>]) -> Vec<Result<Pid, SpawnError>> {
        let [first, _, ..] = targets else {
            return targets.iter().map(|target| self.spawn(target)).collect();
        };
        let next = AtomicUsize::new(0);
        let work = |spawner: &Self| {
            let mut done = Vec::new();
            while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed))
                && let Some(target) = targets.get(index)
            {
                done.push((index, spawner.spawn_here(target)));
            }
            done
        };
        let started = self.within(first.folder, |spawner| {
            thread::scope(|scope| {
                let helpers: Vec<_> = (1..targets.len().min(MAX_THREADS))
                    .filter_map(|_| {
                        let builder = thread::Builder::new().stack_size(128 << 10);
                        // With fewer threads it takes longer, and that is all.
                        builder.spawn_scoped(scope, || work(spawner)).ok()
                    })
                    .collect();
                let mut done = work(spawner);
                done.extend(
                    helpers.into_iter().flat_map(|helper| helper.join().unwrap_or_default()),
                );
                done
            })
        });
        match started {
            Ok(mut done) => {
                done.sort_by_key(|(index, _)| *index);
                done.into_iter().map(|(_, result)| result).collect()
            }
            // All of them fail as the first does.
            Err(_) => targets.iter().map(|target| self.spawn(target)).collect(),
        }
    }

    /// Does something in a folder, with the limits that programs get.
    fn within<T>(
        &mut self,
        folder: &Path,
        spawn: impl FnOnce(&Self) -> T,
    ) -> Result<T, SpawnError> {
        self.enter(folder)?;
        if let Some(limit) = &self.limit {
            // It was lower before, so lowering and raising it again cannot fail.
            let _lowered = setrlimit(Resource::Nofile, *limit);
        }
        let result = spawn(self);
        if self.limit.is_some() {
            let _raised = setrlimit(Resource::Nofile, self.raised);
        }
        Ok(result)
    }

    fn spawn_here(&self, target: &Target<'_>) -> Result<Pid, SpawnError> {
        let program = target.argv.first().ok_or(SpawnError::Nothing)?;
        let failed = |errno: Errno| SpawnError::Program {
            program: program.to_string_lossy().into_owned(),
            source: errno.into(),
        };
        let actions = self.actions(target).map_err(failed)?;
        let attributes = attributes(target.session).map_err(failed)?;
        let pid = posix_spawnp(program, &actions, &attributes, target.argv, target.environment)
            .map_err(failed)?;
        Pid::from_raw(pid.as_raw()).ok_or_else(|| failed(Errno::ESRCH))
    }

    fn enter(&mut self, folder: &Path) -> Result<(), SpawnError> {
        if self.folder == folder {
            // It may have been removed and made again since.
            if rustix::fs::stat(".").is_ok_and(|here| here.st_nlink > 0) {
                return Ok(());
            }
        }
        let error = |source: rustix::io::Errno| SpawnError::Folder {
            path: folder.to_owned(),
            source: source.into(),
        };
        rustix::process::chdir(folder).map_err(error)?;
        folder.clone_into(&mut self.folder);
        Ok(())
    }

    fn actions(&self, target: &Target<'_>) -> Result<PosixSpawnFileActions, Errno> {
        let mut actions = PosixSpawnFileActions::init()?;
        if let Some(terminal) = target.terminal {
            actions.add_open(0, terminal, OFlag::O_RDWR, Mode::empty())?;
            actions.add_dup2(0, 1)?;
            actions.add_dup2(0, 2)?;
        } else {
            for (stream, number) in target.streams.iter().zip(0..) {
                match stream {
                    Stdio::Null => actions.add_dup2(self.null.as_raw_fd(), number)?,
                    Stdio::Inherit => {}
                    Stdio::Fd(fd) => actions.add_dup2(fd.as_raw_fd(), number)?,
                }
            }
        }
        if let Some((fd, number)) = target.extra {
            actions.add_dup2(fd.as_fd().as_raw_fd(), number)?;
        }
        Ok(actions)
    }
}

/// A clean start: no blocked signal, none ignored but what the user ignored for all (`nohup`).
fn attributes(session: bool) -> Result<PosixSpawnAttr, Errno> {
    let mut attributes = PosixSpawnAttr::init()?;
    let mut flags =
        PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    if session {
        flags |= PosixSpawnFlags::from_bits_retain(SETSID);
    }
    attributes.set_flags(flags)?;
    attributes.set_sigmask(&SigSet::empty())?;
    let defaults = [
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGPIPE,
        Signal::SIGTERM,
        Signal::SIGCHLD,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ];
    attributes.set_sigdefault(&defaults.into_iter().collect())?;
    Ok(attributes)
}
