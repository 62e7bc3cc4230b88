//! Signals to programs under test.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

/// Sends SIGINT, as Ctrl-C does.
///
/// # Panics
/// When it has ended already.
pub fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}
