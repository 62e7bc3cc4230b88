//! Values of JSON and TOML texts, with their places: what `fromJSON` and `fromTOML` read, and registries in these
//! formats.

use crate::source::Span;

/// A value that is written out.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The value.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
}

/// What kind of value it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a fraction.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Data>),
    /// An object or a table, in the order of the text. Names may repeat in JSON; the last one counts.
    Set(Vec<Member>),
}

/// One member of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name is.
    pub span: Span,
    /// Its value.
    pub value: Data,
}

/// Why a text gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// The text is not of the format.
    #[error("{what}")]
    Syntax {
        /// The byte where it goes wrong.
        at: usize,
        /// What is wrong there.
        what: String,
    },
    /// The text holds what Nix reads in another way, or not at all.
    #[error("{what}")]
    Unsupported {
        /// The byte where it is.
        at: usize,
        /// What it is.
        what: String,
    },
}

impl DataError {
    /// The byte where it is.
    pub fn at(&self) -> usize {
        match self {
            Self::Syntax { at, .. } | Self::Unsupported { at, .. } => *at,
        }
    }

    pub(crate) fn syntax(at: usize, what: impl Into<String>) -> Self {
        Self::Syntax { at, what: what.into() }
    }

    pub(crate) fn unsupported(at: usize, what: impl Into<String>) -> Self {
        Self::Unsupported { at, what: what.into() }
    }
}

pub use crate::json::parse as parse_json;
pub use crate::toml::parse as parse_toml;
