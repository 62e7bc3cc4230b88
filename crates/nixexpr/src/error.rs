//! Why an evaluation gave no value.

use std::io;
use std::path::PathBuf;

use crate::source::Place;

/// What went wrong, and where.
///
/// [`EvalError::is_refusal`] tells what this reader does not do from what is wrong in the input.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file could not be read. The cause names it.
    #[error("cannot read")]
    Read(#[source] io::Error),
    /// A file is larger than is read here.
    #[error("`{}` has {size} bytes, but at most {limit} are read", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        size: u64,
        /// [`crate::Limits::file`].
        limit: u64,
    },
    /// The text is not Nix, JSON or TOML.
    #[error("{place}: syntax error: {what}")]
    Syntax {
        /// Where.
        place: Place,
        /// What was found and what was expected.
        what: String,
    },
    /// The text has no value: Nix fails on it too.
    #[error("{place}: {what}")]
    Evaluation {
        /// Where.
        place: Place,
        /// Nix's own words where they are good ones.
        what: String,
    },
    /// Something that is not evaluated here, as the result might not be equal to Nix's.
    #[error("{place}: {what}, which is not evaluated natively")]
    Refused {
        /// Where.
        place: Place,
        /// The construct.
        what: String,
    },
    /// A limit was reached.
    #[error("{place}: {what}")]
    Limit {
        /// Where.
        place: Place,
        /// Which one.
        what: String,
    },
}

impl EvalError {
    /// Whether Nix itself may have an answer.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Limit { .. } | Self::TooLarge { .. } => true,
            Self::Read(_) | Self::Syntax { .. } | Self::Evaluation { .. } => false,
        }
    }

    /// Where it is, if it is at a place in a text.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::Evaluation { place, .. }
            | Self::Refused { place, .. }
            | Self::Limit { place, .. } => Some(place),
            Self::Read(_) | Self::TooLarge { .. } => None,
        }
    }
}
