//! Signals by number, and what a status says.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitIdStatus, kill_process_group};

/// The signal of that number; a number that names none is SIGTERM, as upstream has it.
pub(crate) fn signal_named(number: i32) -> Signal {
    Signal::from_named_raw(number).unwrap_or(Signal::TERM)
}

/// Signals a group whose leader is known to be ours and unreaped. Says whether anybody was there.
pub(crate) fn kill_group(leader: Pid, signal: Signal) -> bool {
    !matches!(kill_process_group(leader, signal), Err(Errno::SRCH))
}

/// The code of an end: its own, or 128 + n for a signal n.
pub(crate) fn ended_by(status: &WaitIdStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|n| 128 + n)).unwrap_or(1)
}
