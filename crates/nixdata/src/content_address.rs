//! Content addresses: how a path that is named by its content was hashed.
//!
//! The text form is that of the `CA` line of narinfo files and of `ca` in path-info JSON up to
//! version 1: `text:sha256:…`, `fixed:sha256:…`, `fixed:r:sha256:…`, `fixed:git:sha1:…`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{Encoding, Hash, HashError};

/// What was hashed to name a path by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The bytes of a file that may hold references: `builtins.toFile`, derivations.
    Text,
    /// The bytes of one file: `fetchurl`.
    Flat,
    /// The NAR of a tree: `fetchgit`, sources.
    Nar,
    /// The git tree hash, an experimental feature of Nix.
    Git,
}

impl Method {
    /// What precedes the hash in the text form.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Text => "text:",
            Self::Flat => "fixed:",
            Self::Nar => "fixed:r:",
            Self::Git => "fixed:git:",
        }
    }

    /// Reads the name that JSON of version 2 gives the method.
    pub(crate) fn from_json_name(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "flat" => Some(Self::Flat),
            "nar" => Some(Self::Nar),
            "git" => Some(Self::Git),
            _ => None,
        }
    }
}

/// Why a text is no content address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContentAddressError {
    /// Neither `text:` nor `fixed:` in front.
    #[error("`{0}` is no content address (`text:…` or `fixed:…`)")]
    Method(String),
    /// The hash after the method is broken.
    #[error("the content address `{text}` has no valid hash")]
    Hash {
        /// The content address.
        text: String,
        /// What is wrong with the hash.
        #[source]
        source: HashError,
    },
}

/// How the content that names a path was hashed, and to what.
///
/// ```
/// use nixdata::{ContentAddress, Method};
/// let text = "fixed:r:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
/// let address: ContentAddress = text.parse()?;
/// assert_eq!(address.method, Method::Nar);
/// assert_eq!(address.to_string(), text);
/// # Ok::<(), nixdata::ContentAddressError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentAddress {
    /// What was hashed.
    pub method: Method,
    /// The hash.
    pub hash: Hash,
}

impl FromStr for ContentAddress {
    type Err = ContentAddressError;

    fn from_str(text: &str) -> Result<Self, ContentAddressError> {
        // `fixed:` is a prefix of two others, so it comes last.
        let (method, rest) = [Method::Text, Method::Nar, Method::Git, Method::Flat]
            .into_iter()
            .find_map(|method| Some((method, text.strip_prefix(method.prefix())?)))
            .ok_or_else(|| ContentAddressError::Method(text.to_owned()))?;
        let hash = rest
            .parse()
            .map_err(|source| ContentAddressError::Hash { text: text.to_owned(), source })?;
        Ok(Self { method, hash })
    }
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.method.prefix(), self.hash.typed(Encoding::Nix32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_reads_back() {
        let hash = Hash::sha256_of(b"");
        for method in [Method::Text, Method::Flat, Method::Nar, Method::Git] {
            let address = ContentAddress { method, hash };
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn wrong_texts_say_why() {
        let message = |text: &str| text.parse::<ContentAddress>().unwrap_err().to_string();
        assert_eq!(message("nar:x"), "`nar:x` is no content address (`text:…` or `fixed:…`)");
        assert_eq!(message("fixed:r:x"), "the content address `fixed:r:x` has no valid hash");
    }
}
