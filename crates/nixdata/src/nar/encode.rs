//! Writing a NAR piece by piece.

use std::io::{self, Write};

use thiserror::Error;

use super::{MAGIC, is_name, padding};

/// So many bytes of structure are gathered before they are written.
const BUFFER: usize = 16 << 10;

/// Why a NAR cannot be written.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The writer failed.
    #[error("could not write the NAR")]
    Write(#[source] io::Error),
    /// A name that no directory entry can have.
    #[error("`{}` cannot be the name of a directory entry", .0.escape_ascii())]
    Name(Vec<u8>),
    /// A name that does not come after the one before it.
    #[error("`{}` comes after `{}`, but a NAR is sorted by bytes", .name.escape_ascii(), .after.escape_ascii())]
    Order {
        /// The name.
        name: Vec<u8>,
        /// The name before it.
        after: Vec<u8>,
    },
    /// More or fewer bytes than were announced.
    #[error("a file of {announced} bytes was announced, but there are {}", count(*.given))]
    Size {
        /// The bytes announced.
        announced: u64,
        /// The bytes given; `None` when there are more than announced.
        given: Option<u64>,
    },
    /// A piece where the format has no place for it.
    #[error("{0} is not what comes next in this NAR")]
    Piece(&'static str),
}

fn count(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "more".to_owned(), |bytes| bytes.to_string())
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A file, a directory or a symlink.
    Node,
    /// An entry, or the end of the directory.
    Entry,
    /// Bytes of a file.
    Contents { announced: u64, rest: u64 },
    /// Nothing: the NAR is complete.
    End,
}

/// Writes a NAR from the pieces of a tree, in the order of a walk that visits names sorted by bytes.
///
/// It refuses pieces that make no NAR, so whatever it finishes can be read back.
///
/// ```
/// use nixdata::nar::{Digester, Encoder};
/// let mut nar = Encoder::new(Digester::new(std::io::sink()))?;
/// nar.directory()?;
/// nar.entry(b"hello")?;
/// nar.file(true, 3)?;
/// nar.contents(b"hi\n")?;
/// nar.entry(b"link")?;
/// nar.symlink(b"hello")?;
/// nar.end_directory()?;
/// let (id, _) = nar.finish()?.finish();
/// assert_eq!(id.size, 512);
/// # Ok::<(), nixdata::nar::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct Encoder<W> {
    out: W,
    buffer: Vec<u8>,
    next: Next,
    /// The last name of each open directory.
    open: Vec<Option<Vec<u8>>>,
}

impl<W: Write> Encoder<W> {
    /// Begins a NAR.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn new(out: W) -> Result<Self, EncodeError> {
        let mut encoder = Self {
            out,
            buffer: Vec::with_capacity(2 * BUFFER),
            next: Next::Node,
            open: Vec::new(),
        };
        encoder.strings(&[MAGIC])?;
        Ok(encoder)
    }

    /// Begins a file, which must get exactly `size` bytes of contents.
    ///
    /// # Errors
    /// When no node comes next, or the writer fails.
    pub fn file(&mut self, executable: bool, size: u64) -> Result<(), EncodeError> {
        self.expect_node("a file")?;
        self.strings(&[b"(", b"type", b"regular"])?;
        if executable {
            self.strings(&[b"executable", b""])?;
        }
        self.strings(&[b"contents"])?;
        self.buffer.extend(size.to_le_bytes());
        self.next = Next::Contents { announced: size, rest: size };
        if size == 0 { self.end_file(0) } else { Ok(()) }
    }

    /// Gives some of the bytes of the file that was begun; the last ones end it.
    ///
    /// # Errors
    /// When no file is open, it gets more than was announced, or the writer fails.
    pub fn contents(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let Next::Contents { announced, rest } = self.next else {
            return if bytes.is_empty() { Ok(()) } else { Err(EncodeError::Piece("contents")) };
        };
        let rest = rest
            .checked_sub(bytes.len() as u64)
            .ok_or(EncodeError::Size { announced, given: None })?;
        // Small files are gathered, big pieces go through.
        if self.buffer.len() + bytes.len() <= BUFFER {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.flush_buffer()?;
            self.out.write_all(bytes).map_err(EncodeError::Write)?;
        }
        self.next = Next::Contents { announced, rest };
        if rest == 0 { self.end_file(announced) } else { Ok(()) }
    }

    /// Writes a symlink.
    ///
    /// # Errors
    /// When no node comes next, or the writer fails.
    pub fn symlink(&mut self, target: &[u8]) -> Result<(), EncodeError> {
        self.expect_node("a symlink")?;
        self.strings(&[b"(", b"type", b"symlink", b"target", target, b")"])?;
        self.end_node()
    }

    /// Begins a directory.
    ///
    /// # Errors
    /// When no node comes next, or the writer fails.
    pub fn directory(&mut self) -> Result<(), EncodeError> {
        self.expect_node("a directory")?;
        self.strings(&[b"(", b"type", b"directory"])?;
        self.open.push(None);
        self.next = Next::Entry;
        Ok(())
    }

    /// Names the node that comes next in the directory.
    ///
    /// # Errors
    /// When no directory is open, the name cannot be one or is not greater than the one before it, or
    /// the writer fails.
    pub fn entry(&mut self, name: &[u8]) -> Result<(), EncodeError> {
        let (Next::Entry, Some(last)) = (self.next, self.open.last_mut()) else {
            return Err(self.out_of_place("an entry"));
        };
        if !is_name(name) {
            return Err(EncodeError::Name(name.to_owned()));
        }
        match last {
            Some(after) if after.as_slice() >= name => {
                return Err(EncodeError::Order { name: name.to_owned(), after: after.clone() });
            }
            Some(after) => {
                after.clear();
                after.extend_from_slice(name);
            }
            None => *last = Some(name.to_owned()),
        }
        self.strings(&[b"entry", b"(", b"name", name, b"node"])?;
        self.next = Next::Node;
        Ok(())
    }

    /// Ends the directory.
    ///
    /// # Errors
    /// When none is open or an entry has no node yet, or the writer fails.
    pub fn end_directory(&mut self) -> Result<(), EncodeError> {
        if self.next != Next::Entry {
            return Err(self.out_of_place("the end of a directory"));
        }
        self.open.pop();
        self.strings(&[b")"])?;
        self.end_node()
    }

    /// Ends the NAR and gives the writer back.
    ///
    /// # Errors
    /// When something is still open, or the writer fails.
    pub fn finish(mut self) -> Result<W, EncodeError> {
        if self.next != Next::End {
            return Err(self.out_of_place("the end"));
        }
        self.flush_buffer()?;
        self.out.flush().map_err(EncodeError::Write)?;
        Ok(self.out)
    }

    fn expect_node(&self, piece: &'static str) -> Result<(), EncodeError> {
        if self.next == Next::Node { Ok(()) } else { Err(self.out_of_place(piece)) }
    }

    fn out_of_place(&self, piece: &'static str) -> EncodeError {
        match self.next {
            Next::Contents { announced, rest } => {
                EncodeError::Size { announced, given: Some(announced - rest) }
            }
            _ => EncodeError::Piece(piece),
        }
    }

    fn end_file(&mut self, size: u64) -> Result<(), EncodeError> {
        self.pad(size);
        self.strings(&[b")"])?;
        self.end_node()
    }

    /// A node ends its entry with it; the outermost ends the NAR.
    fn end_node(&mut self) -> Result<(), EncodeError> {
        self.next = if self.open.is_empty() {
            Next::End
        } else {
            self.strings(&[b")"])?;
            Next::Entry
        };
        Ok(())
    }

    fn strings(&mut self, strings: &[&[u8]]) -> Result<(), EncodeError> {
        for string in strings {
            self.buffer.extend((string.len() as u64).to_le_bytes());
            self.buffer.extend_from_slice(string);
            self.pad(string.len() as u64);
        }
        if self.buffer.len() > BUFFER { self.flush_buffer() } else { Ok(()) }
    }

    fn pad(&mut self, length: u64) {
        self.buffer.extend_from_slice(&[0; 8][..padding(length)]);
    }

    fn flush_buffer(&mut self) -> Result<(), EncodeError> {
        self.out.write_all(&self.buffer).map_err(EncodeError::Write)?;
        self.buffer.clear();
        Ok(())
    }
}
