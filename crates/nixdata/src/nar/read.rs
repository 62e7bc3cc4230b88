//! Taking a NAR apart.

use std::io::{self, Read};

use thiserror::Error;

use super::{MAGIC, is_name, padding};

/// Longer than any name that Linux or macOS gives a directory entry.
const NAME_LIMIT: u64 = 1024;
/// Longer than any target that Linux or macOS gives a symlink.
const TARGET_LIMIT: u64 = 4096;
/// The longest word of the format itself is `nix-archive-1`.
const WORD_LIMIT: u64 = 16;
/// Deeper than any tree whose paths a kernel takes.
const DEPTH_LIMIT: usize = 4096;

/// Why bytes are no NAR.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The bytes could not be read.
    #[error("could not read the NAR")]
    Read(#[source] io::Error),
    /// The bytes end too early.
    #[error("the NAR breaks off at byte {0}")]
    Truncated(u64),
    /// There are bytes after the end.
    #[error("there is something after the end of the NAR, at byte {0}")]
    Trailing(u64),
    /// A word that has no place there.
    #[error("byte {offset}: `{}` where {expected} should be", .found.escape_ascii())]
    Word {
        /// Where the word begins.
        offset: u64,
        /// The word.
        found: Vec<u8>,
        /// What could be there.
        expected: &'static str,
    },
    /// A string that is longer than one of its kind can be.
    #[error("byte {offset}: a string of {length} bytes, but {limit} is the most here")]
    Length {
        /// Where the string begins.
        offset: u64,
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// Padding that is not zero: another NAR of the same tree, with another hash.
    #[error("byte {0}: the padding is not zero")]
    Padding(u64),
    /// A name that no directory entry can have, or a target that no symlink can.
    #[error("byte {offset}: `{}` cannot be {kind}", .name.escape_ascii())]
    Name {
        /// Where the name begins.
        offset: u64,
        /// The name.
        name: Vec<u8>,
        /// What it should be.
        kind: &'static str,
    },
    /// A name that does not come after the one before it.
    #[error("byte {offset}: `{}` comes after `{}`, but a NAR is sorted by bytes", .name.escape_ascii(), .after.escape_ascii())]
    Order {
        /// Where the name begins.
        offset: u64,
        /// The name.
        name: Vec<u8>,
        /// The name before it.
        after: Vec<u8>,
    },
    /// More directories in each other than any kernel's paths reach.
    #[error("byte {0}: directories are nested deeper than {DEPTH_LIMIT}")]
    Depth(u64),
}

/// A piece of a NAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A directory begins; its entries follow.
    Directory,
    /// The name of the node that follows.
    Entry(Vec<u8>),
    /// The directory ends.
    EndDirectory,
    /// A file; its contents can be had with [`Reader::read_contents`] until the next event is asked for.
    File {
        /// Whether its owner may execute it.
        executable: bool,
        /// The bytes of its contents.
        size: u64,
    },
    /// A symlink and its target.
    Symlink(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Magic,
    Node,
    EntryOrEnd,
    Contents { size: u64, rest: u64 },
    End,
}

/// Takes a NAR apart, strictly: what it accepts is, to the byte, what [`Encoder`] writes for the events.
///
/// Reads small pieces, so give it a [`std::io::BufReader`] where a read costs something.
///
/// ```
/// use nixdata::nar::{Event, Reader, dump};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("file");
/// fs_err::write(&path, "hi\n")?;
/// let nar = dump(&path, Vec::new())?;
/// let mut reader = Reader::new(nar.as_slice());
/// assert_eq!(reader.next_event()?, Some(Event::File { executable: false, size: 3 }));
/// assert_eq!(reader.next_event()?, None);
/// reader.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Encoder`]: super::Encoder
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    offset: u64,
    next: Next,
    /// The last name of each open directory.
    open: Vec<Option<Vec<u8>>>,
}

impl<R: Read> Reader<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        Self { input, offset: 0, next: Next::Magic, open: Vec::new() }
    }

    /// Reads up to the next piece; `None` at the end of the NAR. Contents that were not asked for are skipped.
    ///
    /// # Errors
    /// When the bytes are no NAR.
    pub fn next_event(&mut self) -> Result<Option<Event>, ReadError> {
        if let Next::Contents { .. } = self.next {
            self.skip_contents()?;
        }
        match self.next {
            Next::Magic => {
                self.expect(MAGIC, "`nix-archive-1`")?;
                self.node().map(Some)
            }
            Next::Node => self.node().map(Some),
            Next::EntryOrEnd => self.entry_or_end().map(Some),
            Next::Contents { .. } | Next::End => Ok(None),
        }
    }

    /// Reads some of the contents of the file whose event came last; 0 at their end.
    ///
    /// # Errors
    /// When the bytes break off, or what follows the contents is no NAR.
    pub fn read_contents(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let Next::Contents { size, rest } = self.next else { return Ok(0) };
        let want = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
        let length = loop {
            match self.input.read(&mut buffer[..want]) {
                Ok(0) if want > 0 => return Err(ReadError::Truncated(self.offset)),
                Ok(length) => break length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Read(error)),
            }
        };
        self.offset += length as u64;
        let rest = rest - length as u64;
        self.next = Next::Contents { size, rest };
        if rest == 0 {
            self.padding(size)?;
            self.expect(b")", "`)`")?;
            self.end_node()?;
        }
        Ok(length)
    }

    /// Checks that the NAR is complete and nothing follows it, and gives its size in bytes.
    ///
    /// # Errors
    /// When pieces are missing or bytes follow.
    pub fn finish(mut self) -> Result<u64, ReadError> {
        while self.next_event()?.is_some() {}
        let mut one = [0];
        loop {
            match self.input.read(&mut one) {
                Ok(0) => return Ok(self.offset),
                Ok(_) => return Err(ReadError::Trailing(self.offset)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Read(error)),
            }
        }
    }

    fn node(&mut self) -> Result<Event, ReadError> {
        self.expect(b"(", "`(`")?;
        self.expect(b"type", "`type`")?;
        let (offset, kind) = self.word()?;
        match kind.as_slice() {
            b"regular" => self.file(),
            b"symlink" => self.symlink(),
            b"directory" => {
                if self.open.len() >= DEPTH_LIMIT {
                    return Err(ReadError::Depth(offset));
                }
                self.open.push(None);
                self.next = Next::EntryOrEnd;
                Ok(Event::Directory)
            }
            _ => Err(ReadError::Word {
                offset,
                found: kind,
                expected: "`regular`, `symlink` or `directory`",
            }),
        }
    }

    fn file(&mut self) -> Result<Event, ReadError> {
        let (offset, word) = self.word()?;
        let executable = match word.as_slice() {
            b"contents" => false,
            b"executable" => {
                self.expect(b"", "an empty string")?;
                self.expect(b"contents", "`contents`")?;
                true
            }
            _ => {
                let expected = "`executable` or `contents`";
                return Err(ReadError::Word { offset, found: word, expected });
            }
        };
        let size = self.number()?;
        self.next = Next::Contents { size, rest: size };
        if size == 0 {
            self.expect(b")", "`)`")?;
            self.end_node()?;
        }
        Ok(Event::File { executable, size })
    }

    fn symlink(&mut self) -> Result<Event, ReadError> {
        self.expect(b"target", "`target`")?;
        let (offset, target) = self.string(TARGET_LIMIT)?;
        if target.is_empty() || target.contains(&0) {
            return Err(ReadError::Name { offset, name: target, kind: "the target of a symlink" });
        }
        self.expect(b")", "`)`")?;
        self.end_node()?;
        Ok(Event::Symlink(target))
    }

    fn entry_or_end(&mut self) -> Result<Event, ReadError> {
        let (offset, word) = self.word()?;
        match word.as_slice() {
            b"entry" => self.entry(),
            b")" => {
                self.open.pop();
                self.end_node()?;
                Ok(Event::EndDirectory)
            }
            _ => Err(ReadError::Word { offset, found: word, expected: "`entry` or `)`" }),
        }
    }

    fn entry(&mut self) -> Result<Event, ReadError> {
        self.expect(b"(", "`(`")?;
        self.expect(b"name", "`name`")?;
        let (offset, name) = self.string(NAME_LIMIT)?;
        if !is_name(&name) {
            return Err(ReadError::Name { offset, name, kind: "the name of a directory entry" });
        }
        if let Some(last) = self.open.last_mut() {
            if let Some(after) = last.as_ref().filter(|after| **after >= name) {
                return Err(ReadError::Order { offset, after: after.clone(), name });
            }
            *last = Some(name.clone());
        }
        self.expect(b"node", "`node`")?;
        self.next = Next::Node;
        Ok(Event::Entry(name))
    }

    /// A node in a directory is followed by the end of its entry.
    fn end_node(&mut self) -> Result<(), ReadError> {
        self.next = if self.open.is_empty() {
            Next::End
        } else {
            self.expect(b")", "`)`")?;
            Next::EntryOrEnd
        };
        Ok(())
    }

    fn skip_contents(&mut self) -> Result<(), ReadError> {
        let mut buffer = vec![0; 1 << 16];
        while self.read_contents(&mut buffer)? > 0 {}
        Ok(())
    }

    fn expect(&mut self, word: &[u8], expected: &'static str) -> Result<(), ReadError> {
        let (offset, found) = self.word()?;
        if found == word { Ok(()) } else { Err(ReadError::Word { offset, found, expected }) }
    }

    fn word(&mut self) -> Result<(u64, Vec<u8>), ReadError> {
        self.string(WORD_LIMIT)
    }

    fn string(&mut self, limit: u64) -> Result<(u64, Vec<u8>), ReadError> {
        let offset = self.offset;
        let length = self.number()?;
        if length > limit {
            return Err(ReadError::Length { offset, length, limit });
        }
        // The limit is far below what a `usize` holds.
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.fill(&mut bytes)?;
        self.padding(length)?;
        Ok((offset, bytes))
    }

    fn padding(&mut self, length: u64) -> Result<(), ReadError> {
        let offset = self.offset;
        let mut zeros = [0; 8];
        let zeros = &mut zeros[..padding(length)];
        self.fill(zeros)?;
        if zeros.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(ReadError::Padding(offset)) }
    }

    fn number(&mut self) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ReadError> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Truncated(self.offset),
            _ => ReadError::Read(error),
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}
