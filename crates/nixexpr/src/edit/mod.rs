//! Exact edits: one entry more or less in a set that is written out, and every other byte as it was.
//!
//! An edit is a [`Splice`], computed from the text and the places in it; nothing is formatted anew. What is put in takes
//! over indentation, line ends and spelling from its neighbours. Taking out what was put in restores the text, byte
//! for byte: that is why a group that is new is written with dots in Nix and TOML.

pub mod json;
pub mod nix;
mod text;
pub mod toml;

use std::ops::Range;

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The bytes that are replaced.
    pub at: Range<usize>,
    /// What takes their place.
    pub with: String,
}

impl Splice {
    /// Makes a change that only adds.
    pub(crate) fn insert(at: usize, with: String) -> Self {
        Self { at: at..at, with }
    }

    /// Makes a change that only removes.
    pub(crate) fn remove(at: Range<usize>) -> Self {
        Self { at, with: String::new() }
    }

    /// The text after the change.
    ///
    /// ```
    /// let splice = nixexpr::edit::Splice { at: 6..8, with: "81".to_owned() };
    /// assert_eq!(splice.apply("{ a = 80; }"), "{ a = 81; }");
    /// ```
    pub fn apply(&self, text: &str) -> String {
        let (before, after) = (text.get(..self.at.start), text.get(self.at.end..));
        format!("{}{}{}", before.unwrap_or(""), self.with, after.unwrap_or(""))
    }
}

/// Why an edit has no place in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NoPlace {
    /// The byte where there is none.
    pub at: usize,
    /// What is there.
    pub what: String,
}

impl NoPlace {
    pub(crate) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// What is put in: an entry below a set, with its number and perhaps a comment.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// Its names below the set; all but the last are groups that are not there yet.
    pub names: &'a [String],
    /// Its number.
    pub number: u16,
    /// One line of text without control characters.
    pub comment: Option<&'a str>,
}
