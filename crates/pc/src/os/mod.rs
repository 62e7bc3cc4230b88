//! The operating system: starting, watching, signalling and burying processes.
//!
//! Every process leads a session of its own. On Linux `pc` is a subreaper: whatever a process leaves behind becomes a
//! child of `pc` and is found, double forks in sessions of their own too. One reaper owns all children; a leader stays
//! unreaped until nothing of its session is left, so its number names nobody else while signals are sent to it.

mod lease;
mod pty;
mod signal;
mod spawn;

#[cfg(target_os = "linux")]
mod guardian;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(not(target_os = "linux"))]
mod macos;
#[cfg(not(target_os = "linux"))]
use macos as system;

#[cfg(target_os = "linux")]
pub(crate) use guardian::{Guarded, guard};
#[cfg(not(target_os = "linux"))]
pub(crate) use macos::{Guarded, guard};

pub(crate) use lease::{Lease, RUN_VARIABLE, clean_up};
pub(crate) use pty::open_pty;
pub(crate) use signal::{kill_group, signal_named};
pub(crate) use spawn::{SpawnError, Spawner, Stdio, Target};
pub(crate) use system::{
    Handle, Origin, Poller, Ready, Relative, Signals, any_ended, become_subreaper, bury, everybody,
    has_children, identity, relatives, send, start_time, variable_of, was_started_with,
};
