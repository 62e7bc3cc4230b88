//! One text that is evaluated, and places in it.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A range of bytes in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// Makes a span; offsets of the texts that are read here fit in 32 bits.
    pub(crate) fn of(start: usize, end: usize) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: small(start), end: small(end) }
    }

    /// The bytes as a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place as people read it: `lib/ports.nix:12:5`, both numbers counted from one, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Where the lines of a text start: many places in one text without reading it again for each.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// Reads a text once.
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// Where the byte `offset` of the text is; the text came from `file`.
    pub fn place(&self, file: &Path, text: &str, offset: usize) -> Place {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.0.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.0.get(index)).copied().unwrap_or(0);
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let column = text.get(start..offset).map_or(0, |before| before.chars().count());
        Place { file: file.to_owned(), line: small(line.max(1)), column: small(column + 1) }
    }
}

/// Where the byte `offset` of `text` is, for a text that came from `file`. See [`Lines`] for many places.
pub fn place_in(file: &Path, text: &str, offset: usize) -> Place {
    Lines::of(text).place(file, text, offset)
}

/// A file's name and text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) text: Rc<str>,
    lines: OnceCell<Rc<Lines>>,
}

impl Source {
    pub(crate) fn new(file: &Path, text: &str) -> Self {
        Self { file: file.to_owned(), text: Rc::from(text), lines: OnceCell::new() }
    }

    /// Where the byte `offset` is.
    pub(crate) fn place(&self, offset: u32) -> Place {
        let lines = self.lines.get_or_init(|| Rc::new(Lines::of(&self.text)));
        lines.place(&self.file, &self.text, offset as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_and_in_characters() {
        let at = |offset| place_in(Path::new("f"), "ab\n\u{e9}c\n", offset).to_string();
        assert_eq!(at(0), "f:1:1");
        assert_eq!(at(3), "f:2:1");
        assert_eq!(at(5), "f:2:2");
        assert_eq!(at(4), "f:2:1", "an offset inside a character is the character's");
        assert_eq!(at(99), "f:3:1");
    }
}
