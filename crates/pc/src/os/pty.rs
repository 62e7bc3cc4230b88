//! Pseudo terminals for processes that want one.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Our end of a terminal, and the name of the other.
#[derive(Debug)]
pub(crate) struct Pty {
    pub(crate) master: OwnedFd,
    /// Opened by the process itself: as the leader of a session it gets it as its controlling terminal.
    pub(crate) path: CString,
}

/// Makes a terminal of 24 lines of 80 columns.
pub(crate) fn open_pty() -> io::Result<Pty> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?;
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size)?;
    Ok(Pty { master, path })
}
