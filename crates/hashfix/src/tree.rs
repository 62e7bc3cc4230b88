//! The output whose NAR is hashed: a tree that is never written to disk.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use nixdata::nar::{EncodeError, Encoder};

use crate::objects::Object;

/// A node of the output.
pub(crate) enum Node {
    Directory(BTreeMap<Vec<u8>, Self>),
    File { executable: bool, content: Content },
    Symlink(Vec<u8>),
}

/// The bytes of a file.
pub(crate) enum Content {
    /// These.
    Bytes(Vec<u8>),
    /// What a download of the plan brings.
    Download(usize),
    /// Made of the size of a download.
    OfSize(usize, Box<dyn Fn(u64) -> Vec<u8> + Send + Sync>),
    /// A file on disk that is ours alone.
    Path(PathBuf),
}

/// Why the output has no NAR.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// A file of the cache or of a checkout.
    #[error("failed to read a part of the output")]
    Read(#[source] io::Error),
    /// What the NAR is written to.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A download failed; its own error says why.
    #[error("a download is missing")]
    Missing,
}

impl Node {
    /// A file that is not executable.
    pub(crate) fn file(content: Content) -> Self {
        Self::File { executable: false, content }
    }

    /// An empty directory.
    pub(crate) fn directory() -> Self {
        Self::Directory(BTreeMap::new())
    }

    /// Puts a node below a directory, making those between; answers whether the place was free.
    pub(crate) fn insert(&mut self, path: &str, node: Self) -> bool {
        let Self::Directory(entries) = self else { return false };
        match path.split_once('/') {
            Some((first, rest)) => entries
                .entry(first.as_bytes().to_owned())
                .or_insert_with(Self::directory)
                .insert(rest, node),
            None => entries.insert(path.as_bytes().to_owned(), node).is_none(),
        }
    }

    /// Writes the NAR; `wait` gives a download once it is there, and nothing once it never will be.
    ///
    /// # Errors
    /// When a download failed, a file cannot be read, or the writer fails.
    pub(crate) fn write<W: Write>(
        &self,
        out: W,
        wait: &dyn Fn(usize) -> Option<Object>,
    ) -> Result<W, TreeError> {
        let mut writer = Writer { nar: Encoder::new(out)?, buffer: vec![0; 64 << 10], wait };
        writer.node(self)?;
        Ok(writer.nar.finish()?)
    }
}

struct Writer<'a, W> {
    nar: Encoder<W>,
    buffer: Vec<u8>,
    wait: &'a dyn Fn(usize) -> Option<Object>,
}

impl<W: Write> Writer<'_, W> {
    fn node(&mut self, node: &Node) -> Result<(), TreeError> {
        match node {
            Node::Symlink(target) => self.nar.symlink(target)?,
            Node::Directory(entries) => {
                self.nar.directory()?;
                for (name, node) in entries {
                    self.nar.entry(name)?;
                    self.node(node)?;
                }
                self.nar.end_directory()?;
            }
            Node::File { executable, content } => match content {
                Content::Bytes(bytes) => self.bytes(*executable, bytes)?,
                Content::OfSize(number, make) => {
                    let object = (self.wait)(*number).ok_or(TreeError::Missing)?;
                    self.bytes(*executable, &make(object.size))?;
                }
                Content::Download(number) => {
                    let object = (self.wait)(*number).ok_or(TreeError::Missing)?;
                    self.path(*executable, &object.path)?;
                }
                Content::Path(path) => self.path(*executable, path)?,
            },
        }
        Ok(())
    }

    fn bytes(&mut self, executable: bool, bytes: &[u8]) -> Result<(), TreeError> {
        self.nar.file(executable, bytes.len() as u64)?;
        Ok(self.nar.contents(bytes)?)
    }

    fn path(&mut self, executable: bool, path: &std::path::Path) -> Result<(), TreeError> {
        let file = fs_err::File::open(path).map_err(TreeError::Read)?;
        let size = file.metadata().map_err(TreeError::Read)?.len();
        self.nar.file(executable, size)?;
        let mut file = file.take(size);
        loop {
            let got = file.read(&mut self.buffer).map_err(TreeError::Read)?;
            if got == 0 {
                return Ok(());
            }
            self.nar.contents(&self.buffer[..got])?;
        }
    }
}
