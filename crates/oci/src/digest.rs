//! Digests: `algorithm:encoded`, by the grammar of the OCI image specification.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests>. Refused: upper case,
//! `sha256` and `sha512` of any other length. An algorithm that the specification does not register is
//! kept as it is written and can be compared, but nothing can be verified against it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hash::Hasher;

/// The longest digest that is read: sha512 has 135 bytes.
const LONGEST: usize = 256;

/// A hash function that this crate can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, what everybody writes.
    Sha256,
    /// SHA-512, registered as well.
    Sha512,
}

impl Algorithm {
    /// The name in front of the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits follow the colon.
    const fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// The digest of some content.
///
/// Digests are compared as parsed: `sha256:AB…` is refused, because the grammar allows lower case only.
///
/// ```
/// let digest = oci::Digest::of(b"");
/// assert_eq!(digest.short(), "e3b0c44298fc");
/// assert_eq!(digest.to_string().parse::<oci::Digest>()?, digest);
/// assert!("SHA256:e3b0".parse::<oci::Digest>().is_err());
/// # Ok::<(), oci::DigestError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    text: Box<str>,
    colon: usize,
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:` in front.
    #[error("digest `{0}` has no `algorithm:` in front")]
    NoAlgorithm(String),
    /// The algorithm's name breaks the grammar.
    #[error("digest `{0}` has an algorithm that is not lower-case words joined by one of `+._-`")]
    Algorithm(String),
    /// The part after the colon breaks the grammar.
    #[error(
        "digest `{0}` has a character after the colon that is not a letter, a digit or one of `=_-`"
    )]
    Encoded(String),
    /// A registered algorithm with another number of digits, or with upper case.
    #[error("digest `{text}` must have {expected} lower-case hexadecimal digits after the colon")]
    Hex {
        /// The text as given.
        text: String,
        /// How many digits the algorithm has.
        expected: usize,
    },
    /// Longer than any digest.
    #[error("digest is {0} bytes long but must be at most 256")]
    TooLong(usize),
}

impl Digest {
    /// Computes the SHA-256 digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(bytes.as_ref());
        hasher.finish()
    }

    /// Makes a digest of a hash function's output, whose length is the algorithm's.
    pub(crate) fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Self {
        debug_assert_eq!(hash.len() * 2, algorithm.digits(), "a hash of another algorithm");
        let mut text = String::with_capacity(algorithm.name().len() + 1 + hash.len() * 2);
        text.push_str(algorithm.name());
        text.push(':');
        for byte in hash {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        Self { colon: algorithm.name().len(), text: text.into() }
    }

    /// The algorithm, unless it is one that this crate cannot compute.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(self.algorithm_name())
    }

    /// What stands in front of the colon.
    pub fn algorithm_name(&self) -> &str {
        &self.text[..self.colon]
    }

    /// What follows the colon: hexadecimal digits for every registered algorithm.
    pub fn encoded(&self) -> &str {
        &self.text[self.colon + 1..]
    }

    /// The first 12 characters after the colon, for people.
    pub fn short(&self) -> &str {
        let encoded = self.encoded();
        &encoded[..encoded.len().min(12)]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where a layout keeps the content: `blobs/sha256/…`.
    pub fn blob_path(&self) -> String {
        format!("blobs/{}/{}", self.algorithm_name(), self.encoded())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        if text.len() > LONGEST {
            return Err(DigestError::TooLong(text.len()));
        }
        let Some((name, encoded)) = text.split_once(':') else {
            return Err(DigestError::NoAlgorithm(text.to_owned()));
        };
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !name.split(['+', '.', '_', '-']).all(is_word) {
            return Err(DigestError::Algorithm(text.to_owned()));
        }
        if let Some(algorithm) = Algorithm::from_name(name) {
            let expected = algorithm.digits();
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            if encoded.len() != expected || !encoded.bytes().all(is_hex) {
                return Err(DigestError::Hex { text: text.to_owned(), expected });
            }
        }
        let is_encoded = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-');
        if encoded.is_empty() || !encoded.bytes().all(is_encoded) {
            return Err(DigestError::Encoded(text.to_owned()));
        }
        Ok(Self { colon: name.len(), text: text.into() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Digest, DigestError> {
        text.parse()
    }

    #[test]
    fn registered_algorithms_have_their_length_in_lower_case() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(parse(&format!("sha256:{hex}")).unwrap(), Digest::of(""));
        assert_eq!(parse(&format!("sha512:{hex}{hex}")).unwrap().encoded().len(), 128);
        assert!(matches!(parse(&format!("sha512:{hex}")), Err(DigestError::Hex { .. })));
        let upper = hex.to_uppercase();
        assert!(matches!(parse(&format!("sha256:{upper}")), Err(DigestError::Hex { .. })));
        assert!(matches!(parse(&format!("SHA256:{hex}")), Err(DigestError::Algorithm(_))));
    }

    #[test]
    fn other_algorithms_are_kept_but_cannot_be_computed() {
        let digest =
            parse("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8").unwrap();
        assert_eq!(digest.algorithm(), None);
        assert_eq!(digest.algorithm_name(), "multihash+base58");
    }

    #[test]
    fn what_breaks_the_grammar_says_where() {
        assert!(matches!(parse("sha256"), Err(DigestError::NoAlgorithm(_))));
        assert!(matches!(parse(":abc"), Err(DigestError::Algorithm(_))));
        assert!(matches!(parse("a+-b:abc"), Err(DigestError::Algorithm(_))));
        assert!(matches!(parse("md5:"), Err(DigestError::Encoded(_))));
        assert!(matches!(parse("md5:../x"), Err(DigestError::Encoded(_))));
        assert!(matches!(parse(&"a".repeat(300)), Err(DigestError::TooLong(300))));
    }

    #[test]
    fn a_blob_path_stays_inside_blobs() {
        assert_eq!(
            Digest::of("").blob_path(),
            "blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
