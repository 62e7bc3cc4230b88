//! Bodies: where the bytes of a request come from, and the reader that hands them to the connection.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::{Cancel, pending};

/// A body of known size that can be opened more than once: a request may have to be sent again.
pub trait Source: Sync {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// Opens it at its first byte.
    ///
    /// # Errors
    /// When what it reads from cannot be opened.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

/// Bytes in memory, as a body.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Source for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.0))
    }
}

/// The body while it is sent: counts, stops when cancelled, and holds the source to its word.
///
/// The connection cannot tell a failing source from a failing network, so the source's error is kept here.
pub(crate) struct Sending<'a> {
    from: Box<dyn Read + 'a>,
    size: u64,
    sent: u64,
    /// Whether the source ends where it ends.
    unsized_: bool,
    cancel: [Option<&'a Cancel>; 2],
    watch: Option<&'a (dyn Fn(u64) + Sync)>,
    started: Instant,
    pub(crate) waited: Option<Duration>,
    pub(crate) stopped: Option<Stopped>,
}

/// Why a body was not sent to its end by our own side.
#[derive(Debug)]
pub(crate) enum Stopped {
    Cancelled,
    Failed(io::Error),
}

impl<'a> Sending<'a> {
    pub(crate) fn open(
        source: &'a dyn Source,
        cancel: [Option<&'a Cancel>; 2],
        watch: Option<&'a (dyn Fn(u64) + Sync)>,
        unsized_: bool,
    ) -> io::Result<Self> {
        Ok(Self {
            from: source.open()?,
            size: source.size(),
            sent: 0,
            unsized_,
            cancel,
            watch,
            started: Instant::now(),
            waited: None,
            stopped: None,
        })
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn size(&self) -> u64 {
        if self.unsized_ { self.sent } else { self.size }
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Stopped> {
        if self.cancel.iter().flatten().any(|cancel| cancel.is_cancelled()) {
            return Err(Stopped::Cancelled);
        }
        if self.unsized_ {
            let got = self.from.read(buffer).map_err(Stopped::Failed)?;
            self.sent += got as u64;
            return Ok(got);
        }
        let left = self.size - self.sent;
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if pending::is_cut() {
            // The answer is there: what is left of the body goes nowhere, and need not be made.
            buffer[..room].fill(0);
            self.sent += room as u64;
            return Ok(room);
        }
        let got = self.from.read(&mut buffer[..room]).map_err(Stopped::Failed)?;
        self.sent += got as u64;
        if got == 0 && room != 0 {
            let words = format!("it ended after {} of {} bytes", self.sent, self.size);
            return Err(Stopped::Failed(io::Error::new(io::ErrorKind::UnexpectedEof, words)));
        }
        // The server has all it was promised; a source with more is not what it said it is.
        if self.sent == self.size
            && got != 0
            && self.from.read(&mut [0]).map_err(Stopped::Failed)? != 0
        {
            let words = format!("it has more than its {} bytes", self.size);
            return Err(Stopped::Failed(io::Error::new(io::ErrorKind::InvalidData, words)));
        }
        Ok(got)
    }
}

impl Read for Sending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.waited.get_or_insert_with(|| self.started.elapsed());
        match self.next(buffer) {
            Ok(got) => {
                if let Some(watch) = self.watch.filter(|_| !pending::is_cut()) {
                    watch(got as u64);
                }
                Ok(got)
            }
            Err(Stopped::Failed(error)) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(stopped) => {
                self.stopped = Some(stopped);
                Err(io::Error::other("the body stopped"))
            }
        }
    }
}
