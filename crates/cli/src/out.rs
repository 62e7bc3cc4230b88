//! Stdout, the tool's data channel: buffered, checked to the last byte.

use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, Write};

/// Stdout could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to stdout")]
pub struct StdoutError {
    /// An `io::Error` that holds a [`Fault`].
    #[source]
    source: io::Error,
}

/// Marks, inside an `io::Error`, that the stream was our stdout.
///
/// A reader that went away (`tool | head -1`) gives the same `BrokenPipe` as a registry that hung up; this is
/// what tells the two apart, so [`crate::run()`] ends quietly on the first and reports the second. It stands in
/// the innermost error, because a transparent error of a tool hides its own type from the chain.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Fault(io::Error);

/// Whether an error comes from a stdout whose reader closed it: nothing is wrong, there is just nobody to tell.
pub(crate) fn is_closed_stdout(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // `io::Error::source` skips the error it wraps, so that one is looked at by hand.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(Fault(cause)) = wrapped.and_then(|inner| inner.downcast_ref()) {
            return cause.kind() == io::ErrorKind::BrokenPipe;
        }
        next = error.source();
    }
    false
}

/// The buffered stdout of a run.
///
/// As an [`io::Write`] its errors are marked as stdout's, so a copy loop may pass them on as they are.
pub struct Out {
    inner: BufWriter<Box<dyn Write + Send>>,
    each_line: bool,
}

impl Out {
    pub(crate) fn new(inner: Box<dyn Write + Send>, each_line: bool) -> Self {
        Self { inner: BufWriter::with_capacity(64 * 1024, inner), each_line }
    }

    /// Writes formatted text; [`crate::outln!`] is the usual way to call it.
    ///
    /// # Errors
    /// [`StdoutError`] when stdout is closed or full.
    pub fn print(&mut self, text: fmt::Arguments<'_>) -> Result<(), StdoutError> {
        self.write_fmt(text).map_err(|source| StdoutError { source })?;
        if self.each_line {
            self.finish()?;
        }
        Ok(())
    }

    /// Writes raw bytes.
    ///
    /// # Errors
    /// [`StdoutError`] when stdout is closed or full.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), StdoutError> {
        self.write_all(bytes).map_err(|source| StdoutError { source })
    }

    /// Flushes: a buffer lost here would be a success that never happened.
    ///
    /// # Errors
    /// [`StdoutError`] when stdout is closed or full.
    pub fn finish(&mut self) -> Result<(), StdoutError> {
        self.flush().map_err(|source| StdoutError { source })
    }
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("each_line", &self.each_line).finish_non_exhaustive()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).map_err(mark)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(mark)
    }
}

fn mark(source: io::Error) -> io::Error {
    // An interrupted write is retried by `write_all`, which must see it as it is.
    if source.kind() == io::ErrorKind::Interrupted {
        return source;
    }
    io::Error::new(source.kind(), Fault(source))
}

/// Writes one line to `io.out`, as `writeln!` does, with a [`StdoutError`] for `?`.
#[macro_export]
macro_rules! outln {
    ($io:expr) => { $io.out.print(::core::format_args!("\n")) };
    ($io:expr, $format:literal $($rest:tt)*) => {
        $io.out.print(::core::format_args!("{}\n", ::core::format_args!($format $($rest)*)))
    };
}
