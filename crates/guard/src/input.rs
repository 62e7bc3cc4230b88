//! Files read within limits, and places in them.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system says no; the error names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is bigger than what is looked at.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooBig { path: PathBuf, limit: u64 },
}

/// Reads a file as text; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn read(path: &Path, limit: u64) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    // A FIFO is waited for when it is opened, and a device may never end.
    if !fs_err::metadata(path)?.is_file() {
        let what = format!("`{}` is no regular file", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what).into());
    }
    fs_err::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooBig { path: path.to_owned(), limit });
    }
    Ok(text(bytes))
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The line and the column, from 1, of a byte of a text.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before.get(start..).unwrap_or_default().chars().count() + 1)
}
