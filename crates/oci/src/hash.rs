//! Hashing while bytes pass by.

use std::fmt;
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::{Algorithm, Digest};

/// Computes a digest piece by piece.
///
/// ```
/// let mut hasher = oci::Hasher::default();
/// hasher.update(b"one ");
/// hasher.update(b"two");
/// assert_eq!(hasher.finish(), oci::Digest::of(b"one two"));
/// ```
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Starts a digest.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest::from_hash(Algorithm::Sha256, &state.finalize()),
            State::Sha512(state) => Digest::from_hash(Algorithm::Sha512, &state.finalize()),
        }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::Sha256)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

/// A reader that hashes and counts what is read through it.
#[derive(Debug)]
pub struct HashingReader<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
}

impl<R: Read> HashingReader<R> {
    /// Hashes with SHA-256.
    pub fn new(inner: R) -> Self {
        Self::with_hasher(inner, Hasher::default())
    }

    /// Hashes with the given function.
    pub fn with_hasher(inner: R, hasher: Hasher) -> Self {
        Self { inner, hasher, size: 0 }
    }

    /// The digest and the number of the bytes read so far.
    pub fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.size)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(&buf[..n]);
        self.size += n as u64;
        Ok(n)
    }
}

/// A writer that hashes and counts what is written through it.
#[derive(Debug)]
pub struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    /// Hashes with SHA-256.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default(), size: 0 }
    }

    /// The writer underneath, the digest and the number of the bytes written.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.size)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hasher.update(&buf[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Content is not what its digest and size say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MismatchError {
    /// The bytes hash to something else.
    #[error("content has the digest {found} but must have {expected}")]
    Digest {
        /// What was promised.
        expected: Digest,
        /// What the bytes hash to.
        found: Digest,
    },
    /// The content ends early.
    #[error("content of {digest} ends after {found} bytes but must have {expected}")]
    Short {
        /// Whose content.
        digest: Digest,
        /// The promised size.
        expected: u64,
        /// How many bytes came.
        found: u64,
    },
    /// The content goes on after its end.
    #[error("content of {digest} goes on after its {expected} bytes")]
    Long {
        /// Whose content.
        digest: Digest,
        /// The promised size.
        expected: u64,
    },
    /// The digest's algorithm is not one this crate computes.
    #[error("cannot verify {0}: only sha256 and sha512 can be computed")]
    Algorithm(Digest),
}

/// A reader that ends well only if the content has the promised digest and size.
///
/// It fails with [`io::ErrorKind::InvalidData`], whose inner error is a [`MismatchError`], at the latest at
/// the end of the content: a caller that has seen `Ok(0)` has seen the promised bytes.
#[derive(Debug)]
pub struct VerifyingReader<R> {
    inner: R,
    expected: Digest,
    size: u64,
    state: Option<Hasher>,
    seen: u64,
}

impl<R: Read> VerifyingReader<R> {
    /// Reads `inner`, which must have the digest `expected` and `size` bytes.
    ///
    /// # Errors
    /// [`MismatchError::Algorithm`], if the digest is of a kind that cannot be computed.
    pub fn new(inner: R, expected: &Digest, size: u64) -> Result<Self, MismatchError> {
        let algorithm =
            expected.algorithm().ok_or_else(|| MismatchError::Algorithm(expected.clone()))?;
        let state = Some(Hasher::new(algorithm));
        Ok(Self { inner, expected: expected.clone(), size, state, seen: 0 })
    }

    fn check_end(&mut self) -> Result<(), MismatchError> {
        let Some(hasher) = self.state.take() else { return Ok(()) };
        if self.seen < self.size {
            let (digest, expected) = (self.expected.clone(), self.size);
            return Err(MismatchError::Short { digest, expected, found: self.seen });
        }
        let found = hasher.finish();
        if found != self.expected {
            return Err(MismatchError::Digest { expected: self.expected.clone(), found });
        }
        Ok(())
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let n = self.inner.read(buf)?;
        self.seen += n as u64;
        if n == 0 {
            self.check_end().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        } else if self.seen > self.size {
            let (digest, expected) = (self.expected.clone(), self.size);
            let error = MismatchError::Long { digest, expected };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        } else if let Some(hasher) = &mut self.state {
            hasher.update(&buf[..n]);
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(content: &[u8], promised: &[u8]) -> Result<Vec<u8>, MismatchError> {
        let mut reader =
            VerifyingReader::new(content, &Digest::of(promised), promised.len() as u64).unwrap();
        let mut out = Vec::new();
        match reader.read_to_end(&mut out) {
            Ok(_) => Ok(out),
            Err(e) => Err(e.get_ref().unwrap().downcast_ref::<MismatchError>().unwrap().clone()),
        }
    }

    #[test]
    fn a_verified_reader_passes_the_promised_bytes_only() {
        assert_eq!(verify(b"abc", b"abc").unwrap(), b"abc");
        assert!(matches!(verify(b"abd", b"abc"), Err(MismatchError::Digest { .. })));
        assert!(matches!(verify(b"ab", b"abc"), Err(MismatchError::Short { found: 2, .. })));
        assert!(matches!(verify(b"abcd", b"abc"), Err(MismatchError::Long { expected: 3, .. })));
        let unknown = "md5:900150983cd24fb0d6963f7d28e17f72".parse().unwrap();
        assert!(VerifyingReader::new(&b""[..], &unknown, 0).is_err());
    }

    #[test]
    fn reader_and_writer_agree() {
        let mut reader = HashingReader::new(&b"hello"[..]);
        let mut writer = HashingWriter::new(Vec::new());
        io::copy(&mut reader, &mut writer).unwrap();
        let (bytes, digest, size) = writer.finish();
        assert_eq!((digest, size), reader.finish());
        assert_eq!(bytes, b"hello");
        assert_eq!(size, 5);
    }

    #[test]
    fn sha512_is_computed_too() {
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(b"abc");
        assert!(hasher.finish().as_str().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
    }
}
