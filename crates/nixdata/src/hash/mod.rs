//! Hashes as Nix writes them: `sha256-BASE64`, `sha256:BASE16`, `sha256:NIX32` and the bare digests.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{Nix32Error, hex, nix32};

/// The longest digest: SHA-512.
const LONGEST: usize = 64;

/// Padded on output; on input the padding may be left off, and bits beyond the digest are refused.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(false),
);

/// A hash function that Nix 2.8 and later know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5, 16 bytes: read and printed, never computed here.
    Md5,
    /// SHA-1, 20 bytes: read and printed, never computed here.
    Sha1,
    /// SHA-256, 32 bytes: what NARs and almost all fixed outputs are hashed with.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// Gives the name that precedes a digest: `sha256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Gives the length of a digest in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        match text {
            "md5" => Ok(Self::Md5),
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(HashError::Algorithm(text.to_owned())),
        }
    }
}

/// How the digest of a hash is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lower case base 16.
    Base16,
    /// Nix's base 32.
    Nix32,
    /// Base 64 with padding.
    Base64,
}

/// Why a text is no hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HashError {
    /// A name that is no hash function of Nix 2.8.
    #[error("`{0}` is not a known hash algorithm (md5, sha1, sha256, sha512)")]
    Algorithm(String),
    /// Neither `sha256-` nor `sha256:` in front, and nothing said which algorithm it is.
    #[error("`{0}` does not name its algorithm; write `sha256-…`")]
    NoAlgorithm(String),
    /// A digest of a length that no spelling of this algorithm has.
    #[error(
        "a {algorithm} digest has {base16} base 16, {nix32} nix32 or {base64} base 64 digits, not {length}"
    )]
    Length {
        /// The algorithm.
        algorithm: Algorithm,
        /// Digits in base 16.
        base16: usize,
        /// Digits in nix32.
        nix32: usize,
        /// Digits in base 64, with padding.
        base64: usize,
        /// The digits that were given.
        length: usize,
    },
    /// A character that is no base 16 digit.
    #[error("`{0}` is not base 16")]
    Base16(String),
    /// A digest that is not nix32.
    #[error("`{text}` is not nix32")]
    Nix32 {
        /// The digest as written.
        text: String,
        /// What is wrong with it.
        #[source]
        source: Nix32Error,
    },
    /// A digest that is not base 64.
    #[error("`{text}` is not base 64")]
    Base64 {
        /// The digest as written.
        text: String,
        /// What is wrong with it.
        #[source]
        source: base64::DecodeError,
    },
}

/// A digest and the function it is of.
///
/// Two hashes are equal when they mean the same bytes, however they were spelled.
///
/// ```
/// use nixdata::{Encoding, Hash};
/// let sri: Hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse()?;
/// let old: Hash = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73".parse()?;
/// assert_eq!(sri, old);
/// assert_eq!(sri, Hash::sha256_of(b""));
/// assert_eq!(old.to_string(), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// assert_eq!(sri.typed(Encoding::Nix32), "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73");
/// # Ok::<(), nixdata::HashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    algorithm: Algorithm,
    // The bytes beyond the digest are zero, so the derived comparisons hold.
    bytes: [u8; LONGEST],
}

impl Hash {
    /// Takes a digest that is already known; `None` when its length is not the algorithm's.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        if digest.len() != algorithm.digest_len() {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes[..digest.len()].copy_from_slice(digest);
        Some(Self { algorithm, bytes })
    }

    /// Takes a SHA-256 digest.
    pub const fn sha256(digest: [u8; 32]) -> Self {
        let mut bytes = [0; LONGEST];
        let mut index = 0;
        while index < digest.len() {
            bytes[index] = digest[index];
            index += 1;
        }
        Self { algorithm: Algorithm::Sha256, bytes }
    }

    /// Computes the SHA-256 of bytes in memory.
    pub fn sha256_of(data: &[u8]) -> Self {
        Self::sha256(Sha256::digest(data).into())
    }

    /// Gives the algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Gives the bytes of the digest.
    pub fn digest(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_len()]
    }

    /// Spells the digest alone.
    pub fn bare(&self, encoding: Encoding) -> String {
        match encoding {
            Encoding::Base16 => hex::encode(self.digest()),
            Encoding::Nix32 => nix32::encode(self.digest()),
            Encoding::Base64 => BASE64.encode(self.digest()),
        }
    }

    /// Spells the hash with a colon, the form of narinfo files and `nix-store`: `sha256:…`.
    pub fn typed(&self, encoding: Encoding) -> String {
        format!("{}:{}", self.algorithm, self.bare(encoding))
    }

    /// Spells the hash as Subresource Integrity, the form of Nix files today: `sha256-…=`.
    pub fn sri(&self) -> String {
        format!("{}-{}", self.algorithm, self.bare(Encoding::Base64))
    }

    /// Reads any spelling; a digest without a name is taken to be of `default`.
    ///
    /// Where Nix takes the algorithm from beside the hash (`outputHashAlgo`, `sha256 = "…"`, the
    /// registration text), the digest may come bare.
    ///
    /// ```
    /// use nixdata::{Algorithm, Hash};
    /// let bare = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// assert_eq!(Hash::parse_with(bare, Algorithm::Sha256)?, Hash::sha256_of(b""));
    /// # Ok::<(), nixdata::HashError>(())
    /// ```
    ///
    /// # Errors
    /// When the algorithm is unknown, the length fits no spelling, or a digit or a trailing bit is wrong.
    pub fn parse_with(text: &str, default: Algorithm) -> Result<Self, HashError> {
        match split_name(text) {
            Some((name, separator, digest)) => Self::parse_named(name, separator, digest),
            None => Self::parse_digest(default, text),
        }
    }

    fn parse_named(name: &str, separator: char, digest: &str) -> Result<Self, HashError> {
        let algorithm = name.parse()?;
        if separator == '-' {
            Self::parse_base64(algorithm, digest)
        } else {
            Self::parse_digest(algorithm, digest)
        }
    }

    /// The spelling of a bare digest follows from its length alone, as in Nix.
    fn parse_digest(algorithm: Algorithm, text: &str) -> Result<Self, HashError> {
        let bytes = algorithm.digest_len();
        let wrong_length = || length_error(algorithm, text.len());
        if text.len() == bytes * 2 {
            let digest = hex::decode(text).ok_or_else(|| HashError::Base16(text.to_owned()))?;
            Self::new(algorithm, &digest).ok_or_else(wrong_length)
        } else if text.len() == nix32::encoded_len(bytes) {
            let digest = nix32::decode(text)
                .map_err(|source| HashError::Nix32 { text: text.to_owned(), source })?;
            Self::new(algorithm, &digest).ok_or_else(wrong_length)
        } else {
            Self::parse_base64(algorithm, text)
        }
    }

    fn parse_base64(algorithm: Algorithm, text: &str) -> Result<Self, HashError> {
        let bytes = algorithm.digest_len();
        let bare = (bytes * 4).div_ceil(3);
        if text.len() != bare && text.len() != bare.next_multiple_of(4) {
            return Err(length_error(algorithm, text.len()));
        }
        let digest = BASE64
            .decode(text)
            .map_err(|source| HashError::Base64 { text: text.to_owned(), source })?;
        Self::new(algorithm, &digest).ok_or_else(|| length_error(algorithm, text.len()))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    /// Reads `sha256-BASE64` (its padding may be missing) or `sha256:` before any spelling.
    fn from_str(text: &str) -> Result<Self, HashError> {
        let (name, separator, digest) =
            split_name(text).ok_or_else(|| HashError::NoAlgorithm(text.to_owned()))?;
        Self::parse_named(name, separator, digest)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sri())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Splits at the first `:` or, where there is none, at the first `-`; neither is a digit of any spelling.
fn split_name(text: &str) -> Option<(&str, char, &str)> {
    let split = |separator: char| {
        text.split_once(separator).map(|(name, digest)| (name, separator, digest))
    };
    split(':').or_else(|| split('-'))
}

fn length_error(algorithm: Algorithm, length: usize) -> HashError {
    let bytes = algorithm.digest_len();
    HashError::Length {
        algorithm,
        base16: bytes * 2,
        nix32: nix32::encoded_len(bytes),
        base64: bytes.div_ceil(3) * 4,
        length,
    }
}

#[cfg(test)]
mod tests;
