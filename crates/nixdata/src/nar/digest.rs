//! Hashing and counting what passes through.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::Hash;

/// What a NAR is known by: the SHA-256 of its bytes, and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NarId {
    /// The SHA-256 of its bytes.
    pub hash: Hash,
    /// The number of its bytes.
    pub size: u64,
}

/// A writer that hashes and counts, and hands everything on.
///
/// ```
/// use std::io::Write as _;
/// use nixdata::nar::Digester;
/// let mut digester = Digester::new(Vec::new());
/// digester.write_all(b"abc")?;
/// let (id, bytes) = digester.finish();
/// assert_eq!((id.size, bytes.as_slice()), (3, b"abc".as_slice()));
/// assert_eq!(id.hash.sri(), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Digester<W = io::Sink> {
    inner: W,
    sha256: Sha256,
    size: u64,
}

impl<W> Digester<W> {
    /// Hands everything on to `inner`; [`io::sink`] where only the hash is wanted.
    pub fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new(), size: 0 }
    }

    /// Gives the hash and the number of all bytes so far, and the inner writer.
    pub fn finish(self) -> (NarId, W) {
        let hash = Hash::sha256(self.sha256.finalize().into());
        (NarId { hash, size: self.size }, self.inner)
    }
}

impl<W: Write> Write for Digester<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only what the inner writer took is hashed: the rest is offered again.
        let taken = self.inner.write(bytes)?;
        self.sha256.update(&bytes[..taken]);
        self.size += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
