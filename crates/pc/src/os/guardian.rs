//! The guardian: the parent of the `pc` that works, which does nothing but outlive it.
//!
//! It is a subreaper. When `pc` is killed, all that it ran becomes the guardian's, and is ended. It forwards what is
//! sent to it, and answers the code of `pc`.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, getppid};

use super::linux::{
    Handle, Origin, Poller, Signals, become_subreaper, bury, has_children, relatives, send,
    start_time,
};
use super::signal::signal_named;

/// How long the orphans of a killed `pc` may take to end by themselves.
const GRACE: Duration = Duration::from_millis(400);
/// How long killed ones may take to disappear.
const BURIAL: Duration = Duration::from_secs(5);

/// The hidden first argument of the `pc` that works.
pub(crate) const FLAG: &str = "--guarded-by=";

/// Whether this process has a guardian.
#[derive(Debug)]
pub(crate) struct Guarded {
    is_worker: bool,
    guardian: Option<Handle>,
}

impl Guarded {
    /// Takes the hidden argument out of the command line.
    pub(crate) fn take(args: &mut Vec<OsString>) -> Self {
        let named =
            args.get(1).and_then(|arg| arg.to_str()?.strip_prefix(FLAG)?.parse::<i32>().ok());
        let Some(named) = named else { return Self { is_worker: false, guardian: None } };
        args.remove(1);
        // Anybody can write the flag; only our own parent can be our guardian.
        let parent = getppid().filter(|parent| parent.as_raw_nonzero().get() == named);
        Self { is_worker: true, guardian: parent.and_then(|parent| Handle::of(parent).ok()) }
    }

    /// Whether this is the `pc` that works.
    pub(crate) fn is_worker(&self) -> bool {
        self.is_worker
    }

    /// The guardian; its end is the end of the project.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.guardian.as_ref()
    }
}

/// Runs `pc` below a guardian and answers its code.
#[expect(clippy::disallowed_methods, reason = "it is ourselves that is run")]
pub(crate) fn guard(args: &[OsString]) -> io::Result<u8> {
    let signals = Signals::new()?;
    become_subreaper()?;
    let mut command = Command::new("/proc/self/exe");
    if let Some((name, rest)) = args.split_first() {
        command.arg0(name).arg(format!("{FLAG}{}", getpid().as_raw_nonzero())).args(rest);
    }
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let handle = Handle::of(pid)?;
    let mut poller = Poller::new()?;
    poller.add(&signals, 0)?;
    loop {
        poller.wait(None)?;
        while let Some(received) = signals.next() {
            let is_child = received.number == Signal::CHILD.as_raw();
            // What the terminal sends, it sends to `pc` as well.
            if !is_child && received.origin == Origin::Process {
                // It may have ended since.
                let _sent = send(&handle, signal_named(received.number));
            }
        }
        if let Some(status) = child.try_wait()? {
            let was_killed = status.signal().is_some() || status.code() == Some(101);
            if was_killed {
                end_orphans()?;
            }
            let code = status.code().or_else(|| status.signal().map(|number| 128 + number));
            return Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
        }
    }
}

/// Ends all that a killed `pc` left.
fn end_orphans() -> io::Result<()> {
    let begin = Instant::now();
    let mut asked = std::collections::BTreeSet::new();
    while has_children() {
        let elapsed = begin.elapsed();
        for (pid, relative) in relatives(getpid()) {
            let Some(pid_named) = Pid::from_raw(pid) else { continue };
            if relative.is_zombie {
                bury(pid_named);
                continue;
            }
            // Descendants of ours: their numbers cannot be somebody else's before we reap them, but those of
            // grandchildren can, so the handle is opened first and the identity checked after.
            let Ok(handle) = Handle::of(pid_named) else { continue };
            if start_time(pid) != Some(relative.start) {
                continue;
            }
            if elapsed >= GRACE {
                let _ended = send(&handle, Signal::KILL);
            } else if asked.insert((pid, relative.start)) {
                let _asked = send(&handle, Signal::TERM).and_then(|()| send(&handle, Signal::CONT));
            }
        }
        if elapsed >= GRACE + BURIAL {
            return Err(io::Error::other("some processes of the killed pc could not be ended"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
