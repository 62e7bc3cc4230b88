//! Shell text taken apart: which commands it runs, with which words, writing which files.
//!
//! This is a lexer with as much grammar as it takes to know where a command begins: POSIX shell, bash, and what
//! zsh and fish share with them. It enters `$( )`, backticks and process substitutions; it skips comments,
//! here-document bodies, arithmetic, `[[ ]]`, `case` patterns and array literals. It expands nothing: what only
//! a running shell knows becomes [`HOLE`].
//!
//! It reads every text, valid or not, in time linear to its length, and refuses only what nests deeper than
//! [`MAX_DEPTH`]. An open quote ends with the text.

mod arithmetic;
mod compound;
mod heredoc;
mod lexer;
mod quote;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use lexer::lex;
pub(crate) use word::{HOLE, Word};

/// How deep substitutions, subshells and texts within texts may nest.
const MAX_DEPTH: usize = 64;

/// The text nests deeper than what people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it nests deeper than anything that is judged")]
pub(crate) struct TooDeep;

/// A place in the text that was given, also for a text within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column in characters, from 1.
    pub(crate) column: u32,
    /// The columns that stand before each later line, and are no part of the text: a block of YAML has some.
    pub(crate) indent: u32,
}

impl Place {
    /// Where a text begins that is no part of another.
    pub(crate) const START: Self = Self::at(1, 1);

    pub(crate) const fn at(line: u32, column: u32) -> Self {
        Self { line, column, indent: 0 }
    }

    /// The place `columns` further on.
    pub(crate) fn after(self, columns: usize) -> Self {
        let columns = u32::try_from(columns).unwrap_or(u32::MAX);
        Self { column: self.column.saturating_add(columns), ..self }
    }

    fn next_line(self) -> Self {
        Self {
            line: self.line.saturating_add(1),
            column: self.indent.saturating_add(1),
            indent: self.indent,
        }
    }
}

/// Shell text and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// One simple command: what runs, and what its redirections open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// Assignments, the program, its arguments.
    pub(crate) words: Vec<Word>,
    /// The files that its redirections create.
    pub(crate) writes: Vec<Word>,
    /// What here-documents and here-strings feed it.
    pub(crate) input: Vec<Text>,
    /// How deep it stands in lists within lists: a subshell is one deeper.
    pub(crate) depth: usize,
    /// Whether it reads what the command before it prints.
    pub(crate) from_pipe: bool,
    /// Whether the command after it reads what it prints.
    pub(crate) into_pipe: bool,
}
