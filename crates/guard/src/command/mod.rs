//! A command understood: what it runs in the end, and which files it writes.

mod options;
mod table;
mod wrapper;
mod writes;

use std::path::{Path, PathBuf};

pub(crate) use options::matched;
use wrapper::Inner;

use crate::shell::{Text, TooDeep, Word, lex};

/// How many wrappers may stand before one command.
const MAX_WRAPPERS: usize = 16;

/// How many texts may stand within one another: `bash -c "eval '…'"` is two.
const MAX_TEXTS: usize = 8;

/// What a text or an argument vector does, one item at a time.
#[derive(Debug)]
pub(crate) enum Act<'a> {
    /// It runs a program, the first of the words.
    Runs(&'a [Word]),
    /// It writes a file.
    Writes(&'a Word),
    /// It gives a program this input: a patch, for one that applies patches.
    Feeds(&'a Word, &'a Text),
}

/// Tells `see` everything that a shell text does; relative paths begin at `folder`.
pub(crate) fn walk_text(
    text: &Text,
    folder: &Path,
    see: &mut dyn FnMut(Act<'_>),
) -> Result<(), TooDeep> {
    Walk { folder, below: PathBuf::new(), see }.text(text, 0)
}

/// Tells `see` everything that an argument vector does.
pub(crate) fn walk_words(
    words: &[Word],
    folder: &Path,
    see: &mut dyn FnMut(Act<'_>),
) -> Result<(), TooDeep> {
    Walk { folder, below: PathBuf::new(), see }.command(words, &[], 0)
}

struct Walk<'a> {
    folder: &'a Path,
    /// Where `cd` has led, as it was written.
    below: PathBuf,
    see: &'a mut dyn FnMut(Act<'_>),
}

impl Walk<'_> {
    fn text(&mut self, text: &Text, depth: usize) -> Result<(), TooDeep> {
        // What the command before prints, as far as it is known.
        let mut printed = Vec::new();
        let came_from = self.below.clone();
        for command in lex(&text.text, text.place, depth)? {
            for write in command.writes.iter().flat_map(Word::expand_braces) {
                self.write(&write);
            }
            let words: Vec<Word> = command.words.iter().flat_map(Word::expand_braces).collect();
            let mut input = command.input;
            if command.from_pipe {
                input.append(&mut printed);
            }
            self.command(&words, &input, depth)?;
            if command.into_pipe {
                printed = wrapper::printed(&words, input);
            }
            // From a subshell, and that is what a pipe makes, it leads back.
            if command.depth == depth + 1 && !command.from_pipe && !command.into_pipe {
                self.follow(&words);
            }
        }
        self.below = came_from;
        Ok(())
    }

    /// Goes where `cd` goes, if that stands in the text.
    fn follow(&mut self, words: &[Word]) {
        let [program, target] = words else { return };
        if program.text == "cd" && target.is_literal() && target.text != "-" {
            self.below.push(&target.text);
        }
    }

    /// Tells of a file that is written, from where the text began.
    fn write(&mut self, write: &Word) {
        if self.below.as_os_str().is_empty() {
            (self.see)(Act::Writes(write));
        } else {
            let path = self.below.join(&write.text).to_string_lossy().into_owned();
            (self.see)(Act::Writes(&Word::of(path, write.place)));
        }
    }

    /// One command, and what it runs, through any number of wrappers.
    fn command(&mut self, words: &[Word], input: &[Text], depth: usize) -> Result<(), TooDeep> {
        if depth > MAX_TEXTS {
            return Err(TooDeep);
        }
        let mut words = words;
        for _ in 0..=MAX_WRAPPERS {
            let assignments = words.iter().take_while(|word| word.is_assignment()).count();
            words = words.get(assignments..).unwrap_or_default();
            let Some(program) = words.first() else { return Ok(()) };
            (self.see)(Act::Runs(words));
            for text in input {
                (self.see)(Act::Feeds(program, text));
            }
            for write in writes::writes(words, &self.folder.join(&self.below)) {
                self.write(&write);
            }
            match wrapper::inner(words, input) {
                Inner::None => return Ok(()),
                Inner::From(at) => words = words.get(at.max(1)..).unwrap_or_default(),
                Inner::Commands(commands) => {
                    for command in commands {
                        self.command(&command, &[], depth + 1)?;
                    }
                    return Ok(());
                }
                Inner::Texts(texts) => {
                    for text in texts {
                        self.text(&text, depth + 1)?;
                    }
                    return Ok(());
                }
            }
        }
        Err(TooDeep)
    }
}

#[cfg(test)]
mod tests;
