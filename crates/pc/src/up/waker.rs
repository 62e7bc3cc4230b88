//! What other threads wake the loop with.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::io::ioctl_fionbio;

/// Wakes the loop; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Waker(Arc<PipeWriter>);

impl Waker {
    /// A waker, and what becomes readable when it is used.
    pub(crate) fn new() -> io::Result<(Self, Woken)> {
        let (reader, writer) = io::pipe()?;
        ioctl_fionbio(&reader, true)?;
        ioctl_fionbio(&writer, true)?;
        Ok((Self(Arc::new(writer)), Woken(reader)))
    }

    /// Wakes it.
    pub(crate) fn wake(&self) {
        // A pipe that is full has woken it already.
        let _written = (&*self.0).write(&[0]);
    }
}

/// The other end.
#[derive(Debug)]
pub(crate) struct Woken(PipeReader);

impl Woken {
    /// Forgets that it was woken.
    pub(crate) fn clear(&mut self) {
        let mut bytes = [0; 256];
        while matches!(self.0.read(&mut bytes), Ok(length) if length == bytes.len()) {}
    }
}

impl AsFd for Woken {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
