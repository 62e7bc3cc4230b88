//! Downloads that are what they should be: a reader that hashes what passes and fails at the end if it is not.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// The digest that a download must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// SHA-1: what old lockfiles have; it proves no more than they do.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-512.
    Sha512([u8; 64]),
}

/// What came is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Other bytes.
    #[error("its digest is {algorithm}:{got}, not {algorithm}:{expected}")]
    Digest {
        /// `sha1`, `sha256` or `sha512`.
        algorithm: &'static str,
        /// What was expected, in lower-case hexadecimal.
        expected: String,
        /// What came.
        got: String,
    },
    /// More or fewer bytes.
    #[error("it has {got} bytes, not {expected}")]
    Size {
        /// What was expected.
        expected: u64,
        /// What came; when it is more, as much as had been read.
        got: u64,
    },
}

/// A reader that checks size and digest at the end of what it reads.
///
/// The last bytes are handed out before the check: use nothing of it until a read has answered 0. The error is an
/// [`io::Error`] of kind `InvalidData` that holds a [`Mismatch`].
///
/// ```
/// use std::io::Read as _;
/// use transfer::{Expected, Verified};
/// let mut reader = Verified::new(&b"other"[..], Expected::Sha256([0; 32]), None);
/// assert!(reader.read_to_end(&mut Vec::new()).is_err());
/// ```
#[derive(Debug)]
pub struct Verified<R> {
    from: R,
    hasher: Hasher,
    size: Option<u64>,
    seen: u64,
}

#[derive(Debug)]
enum Hasher {
    Sha1(Sha1, [u8; 20]),
    Sha256(Sha256, [u8; 32]),
    Sha512(Sha512, [u8; 64]),
}

impl<R: Read> Verified<R> {
    /// Checks what `from` gives against a digest, and a size if that is known.
    pub fn new(from: R, expected: Expected, size: Option<u64>) -> Self {
        let hasher = match expected {
            Expected::Sha1(digest) => Hasher::Sha1(Sha1::new(), digest),
            Expected::Sha256(digest) => Hasher::Sha256(Sha256::new(), digest),
            Expected::Sha512(digest) => Hasher::Sha512(Sha512::new(), digest),
        };
        Self { from, hasher, size, seen: 0 }
    }

    fn check(&self) -> Result<(), Mismatch> {
        match self.size {
            Some(expected) if expected != self.seen => {
                return Err(Mismatch::Size { expected, got: self.seen });
            }
            _ => {}
        }
        let (algorithm, expected, got) = match &self.hasher {
            Hasher::Sha1(hasher, digest) => ("sha1", hex(digest), hex(&hasher.clone().finalize())),
            Hasher::Sha256(hasher, digest) => {
                ("sha256", hex(digest), hex(&hasher.clone().finalize()))
            }
            Hasher::Sha512(hasher, digest) => {
                ("sha512", hex(digest), hex(&hasher.clone().finalize()))
            }
        };
        if expected == got { Ok(()) } else { Err(Mismatch::Digest { algorithm, expected, got }) }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(buffer)?;
        match &mut self.hasher {
            Hasher::Sha1(hasher, _) => hasher.update(&buffer[..got]),
            Hasher::Sha256(hasher, _) => hasher.update(&buffer[..got]),
            Hasher::Sha512(hasher, _) => hasher.update(&buffer[..got]),
        }
        self.seen += got as u64;
        let invalid = |mismatch| io::Error::new(io::ErrorKind::InvalidData, mismatch);
        // A stream without an end must not fill a disk before it is found out.
        if let Some(expected) = self.size.filter(|size| self.seen > *size) {
            return Err(invalid(Mismatch::Size { expected, got: self.seen }));
        }
        if got == 0 && !buffer.is_empty() {
            self.check().map_err(invalid)?;
        }
        Ok(got)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, expected: Expected, size: Option<u64>) -> Result<String, String> {
        let mut out = String::new();
        let mut reader = Verified::new(text.as_bytes(), expected, size);
        reader.read_to_string(&mut out).map(|_| out).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_right_passes() {
        let sha256 = Expected::Sha256(Sha256::digest(b"abc").into());
        let sha512 = Expected::Sha512(Sha512::digest(b"abc").into());
        assert_eq!(read("abc", sha256, Some(3)).unwrap(), "abc");
        assert_eq!(read("abc", sha512, None).unwrap(), "abc");
    }

    #[test]
    fn what_is_wrong_fails_at_its_end() {
        let sha256 = Expected::Sha256(Sha256::digest(b"abc").into());
        assert_eq!(read("abcd", sha256, Some(3)).unwrap_err(), "it has 4 bytes, not 3");
        assert_eq!(read("ab", sha256, Some(3)).unwrap_err(), "it has 2 bytes, not 3");
        let error = read("abd", sha256, Some(3)).unwrap_err();
        assert_eq!(
            error,
            "its digest is sha256:a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, \
             not sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
