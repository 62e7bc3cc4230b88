//! One start of a process, as the operating system has it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::io::{Errno, ioctl_fionbio, read};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::engine::Generation;
use crate::logs::{Line, Lines, Stream};
use crate::os::{Handle, Relative};

/// What one turn reads of a stream at most, so that no process holds up the others.
pub(super) const TURN: usize = 256 << 10;
/// What is read of a stream whose writer has ended: more than any pipe holds.
pub(super) const DRAIN: usize = 2 << 20;
/// A pipe that was full once may hold this much: fewer turns for the same lines.
#[cfg(target_os = "linux")]
const LARGE_PIPE: usize = 1 << 20;

/// One start of a process.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) generation: Generation,
    pub(super) handle: Handle,
    pub(super) readers: Vec<Reader>,
    /// Our end of its terminal.
    pub(super) master: Option<OwnedFd>,
    /// Its leader ended, and is a zombie until nothing of it is left.
    pub(super) code: Option<i32>,
    /// Nothing may be sent to its number any more.
    pub(super) is_reaped: bool,
    pub(super) has_session: bool,
    /// What is left of it is asked to end.
    pub(super) is_rest_asked: bool,
    /// Everything of it is killed.
    pub(super) is_killed: bool,
    /// What it left behind, as of the last look.
    pub(super) rest: Vec<Relative>,
}

impl Body {
    /// The number of its leader.
    pub(super) fn number(&self) -> i32 {
        self.handle.pid.as_raw_nonzero().get()
    }
}

/// Our end of a stream of a process.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) fd: OwnedFd,
    pub(super) stream: Stream,
    lines: Lines,
    is_grown: bool,
    is_terminal: bool,
}

impl Reader {
    /// A pipe: our end, and the end for the process.
    pub(super) fn pipe(stream: Stream) -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        ioctl_fionbio(&ours, true)?;
        let lines = Lines::default();
        Ok((Self { fd: ours, stream, lines, is_grown: false, is_terminal: false }, theirs))
    }

    /// Our end of a terminal.
    pub(super) fn terminal(master: &OwnedFd) -> io::Result<Self> {
        let fd = master.as_fd().try_clone_to_owned()?;
        ioctl_fionbio(&fd, true)?;
        let lines = Lines::of_terminal();
        Ok(Self { fd, stream: Stream::Stdout, lines, is_grown: true, is_terminal: true })
    }

    /// Reads what is there, `limit` bytes at most. Says whether the stream goes on.
    pub(super) fn pump(
        &mut self,
        buffer: &mut [u8],
        limit: usize,
        mut pass: impl FnMut(Stream, Line<'_>),
    ) -> bool {
        let stream = self.stream;
        let mut total = 0;
        while total < limit {
            match read(&self.fd, &mut *buffer) {
                Ok(0) => return false,
                Ok(length) => {
                    self.lines.feed(&buffer[..length], |line| pass(stream, line));
                    total += length;
                    self.grow(length);
                    // A short read emptied it.
                    if length < buffer.len().min(64 << 10) && !self.is_terminal {
                        return true;
                    }
                }
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => {}
                // A terminal whose other end is closed answers so; nothing else can fail here.
                Err(_) => return false,
            }
        }
        true
    }

    /// Passes on a last line without a line feed.
    pub(super) fn finish(&mut self, mut pass: impl FnMut(Stream, Line<'_>)) {
        let stream = self.stream;
        self.lines.finish(|line| pass(stream, line));
    }

    /// Gives a pipe that was full more room. All pipes of a user share a limit, so none has it before it needs it.
    fn grow(&mut self, length: usize) {
        #[cfg(target_os = "linux")]
        if !self.is_grown && length >= 64 << 10 {
            self.is_grown = true;
            // At the limit it stays as it is.
            let _grown = rustix::pipe::fcntl_setpipe_size(&self.fd, LARGE_PIPE);
        }
        #[cfg(not(target_os = "linux"))]
        let _same = length;
    }
}
