//! Systems without pidfds, subreapers and `/proc`: what degrades is told on the page of `pc`.
//!
//! There is no guardian; a process is watched by SIGCHLD, and its group is all that can be found of it. Leases end at
//! the next start what a killed run left, by the numbers and start times that `ps` tells.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, test_kill_process, waitid,
};

use super::signal::ended_by;

/// There are none here.
pub(crate) fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// There is no guardian here.
#[derive(Debug)]
pub(crate) struct Guarded;

impl Guarded {
    /// Nothing to take out.
    pub(crate) fn take(_args: &mut Vec<OsString>) -> Self {
        Self
    }

    /// Always: there is no other.
    pub(crate) fn is_worker(&self) -> bool {
        true
    }

    /// None.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        None
    }
}

/// Never called: every process is a worker.
pub(crate) fn guard(_args: &[OsString]) -> io::Result<u8> {
    Err(io::Error::other("there is no guardian on this system"))
}

/// A child that is not reaped, or a number that was looked at just now.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) pid: Pid,
}

impl Handle {
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        test_kill_process(pid)?;
        Ok(Self { pid })
    }

    pub(crate) fn peek(&self) -> Option<i32> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).ok().flatten()?;
        Some(ended_by(&status))
    }

    pub(crate) fn reap(&self) -> Option<i32> {
        bury(self.pid)
    }

    /// Nothing: SIGCHLD tells.
    pub(crate) fn watched(&self) -> Option<&OwnedFd> {
        None
    }
}

pub(crate) fn send(handle: &Handle, signal: Signal) -> io::Result<()> {
    Ok(kill_process(handle.pid, signal)?)
}

pub(crate) fn bury(pid: Pid) -> Option<i32> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    waitid(WaitId::Pid(pid), options).ok().flatten().map(|status| ended_by(&status))
}

/// Leaders are known by number; SIGCHLD makes the caller look at each.
pub(crate) fn any_ended() -> Option<Pid> {
    None
}

pub(crate) fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

/// What is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready(pub(crate) u64);

/// Waits for many descriptors by poll(2).
#[derive(Debug)]
pub(crate) struct Poller {
    watched: BTreeMap<u64, OwnedFd>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { watched: BTreeMap::new() })
    }

    pub(crate) fn add(&mut self, fd: impl AsFd, token: u64) -> io::Result<()> {
        self.watched.insert(token, fd.as_fd().try_clone_to_owned()?);
        Ok(())
    }

    pub(crate) fn remove(&mut self, _fd: impl AsFd, token: u64) {
        self.watched.remove(&token);
    }

    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> io::Result<Vec<Ready>> {
        let mut polled: Vec<PollFd<'_>> =
            self.watched.values().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let limit = limit.map(|limit| Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        match poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let tokens = self.watched.keys().zip(&polled);
        let ready = tokens.filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|(token, _)| Ready(*token)).collect())
    }
}

/// Who sent a signal; not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(dead_code, reason = "the terminal's signals cannot be told from others here")]
pub(crate) enum Origin {
    Terminal,
    Process,
}

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) number: i32,
    pub(crate) origin: Origin,
}

/// Signals as a stream: a socket pair for each.
#[derive(Debug)]
pub(crate) struct Signals {
    wake: UnixStream,
    each: Vec<(i32, UnixStream)>,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let mut each = Vec::new();
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD] {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(number, write)?;
            signal_hook::low_level::pipe::register(number, waker.try_clone()?)?;
            each.push((number, read));
        }
        Ok(Self { wake, each })
    }

    pub(crate) fn next(&self) -> Option<Received> {
        use std::io::Read as _;
        let mut byte = [0_u8; 1];
        let _woken = (&self.wake).read(&mut [0_u8; 64]);
        let came = self.each.iter().find(|(_, read)| matches!((&*read).read(&mut byte), Ok(1)))?;
        Some(Received { number: came.0, origin: Origin::Process })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    pub(crate) is_zombie: bool,
    pub(crate) start: u64,
    pub(crate) name: String,
}

/// Orphans are init's here: nothing can be told of them.
pub(crate) fn relatives(_root: Pid) -> BTreeMap<i32, Relative> {
    BTreeMap::new()
}

pub(crate) fn everybody() -> Vec<Relative> {
    Vec::new()
}

pub(crate) fn was_started_with(_pid: i32, _entry: &str) -> bool {
    false
}

pub(crate) fn variable_of(_pid: i32, _name: &str) -> Option<String> {
    None
}

pub(crate) fn start_time(_pid: i32) -> Option<u64> {
    None
}

/// The boot is known by its time.
pub(crate) fn identity() -> io::Result<(String, String)> {
    Err(io::Error::other("this system does not name its boots"))
}
