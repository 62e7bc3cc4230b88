//! Linux: epoll, pidfds, signalfd, `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use fs_err as fs;
use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};

use super::signal::ended_by;

/// Makes orphans below us our children, instead of init's.
pub(crate) fn become_subreaper() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// A process that cannot become another one: a pidfd.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) pid: Pid,
    fd: OwnedFd,
}

impl Handle {
    /// Of a child that is not reaped, or of a process whose identity is checked afterwards.
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, fd: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// The code of a child that ended, which stays a zombie.
    pub(crate) fn peek(&self) -> Option<i32> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::PidFd(self.fd.as_fd()), options).ok().flatten()?;
        Some(ended_by(&status))
    }

    /// Buries a child that ended.
    pub(crate) fn reap(&self) -> Option<i32> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::PidFd(self.fd.as_fd()), options).ok().flatten()?;
        Some(ended_by(&status))
    }

    /// What becomes readable when it ends.
    #[expect(clippy::unnecessary_wraps, reason = "other systems have nothing to watch")]
    pub(crate) fn watched(&self) -> Option<&OwnedFd> {
        Some(&self.fd)
    }
}

/// Signals exactly this process.
pub(crate) fn send(handle: &Handle, signal: Signal) -> io::Result<()> {
    Ok(pidfd_send_signal(&handle.fd, signal)?)
}

/// Buries a child that ended and is no leader.
pub(crate) fn bury(pid: Pid) -> Option<i32> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    waitid(WaitId::Pid(pid), options).ok().flatten().map(|status| ended_by(&status))
}

/// A child that ended and is not buried.
pub(crate) fn any_ended() -> Option<Pid> {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let status = waitid(Id::All, flags).ok()?;
    status.pid().and_then(|pid| Pid::from_raw(pid.as_raw()))
}

/// Whether we have any child at all, zombies included.
pub(crate) fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

/// What epoll says is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready(pub(crate) u64);

/// Waits for many descriptors at once.
pub(crate) struct Poller {
    epoll: OwnedFd,
    buffer: Vec<epoll::Event>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, buffer: Vec::with_capacity(256) })
    }

    /// Tells of `fd` when it can be read, under that token.
    pub(crate) fn add(&mut self, fd: impl AsFd, token: u64) -> io::Result<()> {
        let data = epoll::EventData::new_u64(token);
        Ok(epoll::add(&self.epoll, fd, data, epoll::EventFlags::IN)?)
    }

    /// Forgets it.
    pub(crate) fn remove(&mut self, fd: impl AsFd, _token: u64) {
        // It is only forgotten while it is open, so this cannot fail.
        let _known = epoll::delete(&self.epoll, fd);
    }

    /// Waits until something is ready or the time is over.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> io::Result<Vec<Ready>> {
        let limit = limit.map(|limit| Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        self.buffer.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.buffer), limit.as_ref()) {
            Ok(_) => Ok(self.buffer.iter().map(|event| Ready(event.data.u64())).collect()),
            Err(Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl std::fmt::Debug for Poller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poller").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}

/// Who sent a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The terminal: everybody in the foreground has it too.
    Terminal,
    /// A process.
    Process,
}

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) number: i32,
    pub(crate) origin: Origin,
}

/// Signals as a stream.
#[derive(Debug)]
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// Takes over the signals that a user or a supervisor sends, but those that were ignored from the start.
    pub(crate) fn new() -> io::Result<Self> {
        let mut set = SigSet::empty();
        let ignored = ignored_signals();
        let taken = [
            NixSignal::SIGINT,
            NixSignal::SIGTERM,
            NixSignal::SIGHUP,
            NixSignal::SIGQUIT,
            NixSignal::SIGUSR1,
            NixSignal::SIGUSR2,
            NixSignal::SIGWINCH,
            NixSignal::SIGCHLD,
        ];
        for signal in taken {
            // `nohup pc up` outlives its terminal.
            if !(signal == NixSignal::SIGHUP && ignored & 1 != 0) {
                set.add(signal);
            }
        }
        set.thread_block()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self(SignalFd::with_flags(&set, flags)?))
    }

    /// The next one, if one came.
    pub(crate) fn next(&self) -> Option<Received> {
        let info = self.0.read_signal().ok().flatten()?;
        // SI_KERNEL and its like are positive; what kill(2) sends is not.
        let origin = if info.ssi_code > 0 { Origin::Terminal } else { Origin::Process };
        Some(Received { number: i32::try_from(info.ssi_signo).unwrap_or(0), origin })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The mask of signals that are ignored, signal n at bit n - 1.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// A process below us that is not one of those we started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    pub(crate) is_zombie: bool,
    /// In clock ticks since the boot: with the number it names a process for good.
    pub(crate) start: u64,
    /// The program's short name.
    pub(crate) name: String,
}

/// All descendants of a process, by number.
pub(crate) fn relatives(root: Pid) -> BTreeMap<i32, Relative> {
    let mut all: BTreeMap<i32, Relative> =
        everybody().into_iter().map(|relative| (relative.pid, relative)).collect();
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for relative in all.values() {
        children.entry(relative.parent).or_default().push(relative.pid);
    }
    let mut found = BTreeSet::new();
    let mut open = vec![root.as_raw_nonzero().get()];
    while let Some(next) = open.pop() {
        for &child in children.get(&next).into_iter().flatten() {
            if found.insert(child) {
                open.push(child);
            }
        }
    }
    all.retain(|pid, _| found.contains(pid));
    all
}

/// What `/proc/PID/stat` says.
pub(crate) fn stat(pid: i32) -> Option<Relative> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let open = text.iter().position(|&byte| byte == b'(')?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let name = String::from_utf8_lossy(text.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(text.get(close + 2..)?).ok()?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<i32>().ok());
    Some(Relative {
        pid,
        parent: number(1)?,
        session: number(3)?,
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        start: fields.get(19)?.parse().ok()?,
        name,
    })
}

/// All processes that there are, as far as they can be seen.
pub(crate) fn everybody() -> Vec<Relative> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter_map(stat).collect()
}

/// Whether the environment that a process was started with holds this entry.
pub(crate) fn was_started_with(pid: i32, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|one| one == entry.as_bytes())
}

/// The value of a variable that a process was started with.
pub(crate) fn variable_of(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// When a process was started.
pub(crate) fn start_time(pid: i32) -> Option<u64> {
    stat(pid).map(|stat| stat.start)
}

/// Which boot, and which namespace of process numbers, this is.
pub(crate) fn identity() -> io::Result<(String, String)> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid")?.to_string_lossy().into_owned();
    Ok((boot, namespace))
}
