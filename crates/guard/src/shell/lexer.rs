//! The lexer: a cursor over the text, lists of commands, words and redirections.

use super::compound::{Mode, is_silent_keyword};
use super::heredoc::Pending;
use super::quote::Piece;
use super::word::is_name;
use super::{Command, HOLE, MAX_DEPTH, Place, Text, TooDeep, Word};

/// Takes a text apart; `depth` says how deep it already stands in other texts.
///
/// The commands come in the order they end in: one in a substitution before the one that it is a word of.
pub(crate) fn lex(source: &str, place: Place, depth: usize) -> Result<Vec<Command>, TooDeep> {
    let mut lexer = Lexer::new(source, place, depth);
    lexer.nested(End::Text)?;
    Ok(lexer.finish())
}

/// What ends a list of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing but the end of the text.
    Text,
    /// `)`
    Parenthesis,
}

/// A cursor over shell text, and what was found before it.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) source: &'a str,
    /// The byte that is read next.
    pub(super) at: usize,
    /// Here-documents that the current line has asked for.
    pub(super) pending: Vec<Pending>,
    /// Here-documents and here-strings; commands name them by their number.
    pub(super) inputs: Vec<Text>,
    place: Place,
    depth: usize,
    found: Vec<Found>,
}

/// A command, or the commands of a text within the text.
#[derive(Debug)]
enum Found {
    Command(Open),
    Finished(Vec<Command>),
}

/// The simple command that is being read.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) words: Vec<Word>,
    writes: Vec<Word>,
    inputs: Vec<usize>,
    depth: usize,
    from_pipe: bool,
    into_pipe: bool,
}

/// A list of commands that is being read.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) open: Open,
    pub(super) mode: Mode,
    /// How many `case` are open in this list.
    pub(super) cases: usize,
    /// Whether a pipe leads to the next command.
    piped: bool,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a str, place: Place, depth: usize) -> Self {
        Self {
            source,
            at: 0,
            pending: Vec::new(),
            inputs: Vec::new(),
            place,
            depth,
            found: Vec::new(),
        }
    }

    fn finish(self) -> Vec<Command> {
        let inputs = self.inputs;
        let mut commands = Vec::new();
        for found in self.found {
            match found {
                Found::Finished(inner) => commands.extend(inner),
                Found::Command(open) => commands.push(Command {
                    words: open.words,
                    writes: open.writes,
                    input: open.inputs.iter().filter_map(|&at| inputs.get(at).cloned()).collect(),
                    depth: open.depth,
                    from_pipe: open.from_pipe,
                    into_pipe: open.into_pipe,
                }),
            }
        }
        commands
    }

    // The cursor.

    pub(super) fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.place = self.place.next_line();
        } else {
            self.place = self.place.after(1);
        }
        Some(c)
    }

    pub(super) fn skip_to(&mut self, end: usize) {
        while self.at < end && self.bump().is_some() {}
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Skips what stands between words.
    pub(super) fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t', '\r']) {
                self.bump();
            } else if rest.starts_with("\\\n") || rest.starts_with("\\\r\n") {
                self.bump();
                if self.bump() == Some('\r') {
                    self.bump();
                }
            } else {
                break;
            }
        }
    }

    pub(super) fn comment(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    // Nesting.

    pub(super) fn enter(&mut self) -> Result<(), TooDeep> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(TooDeep) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Reads a list of commands that stands within another.
    pub(super) fn nested(&mut self, end: End) -> Result<(), TooDeep> {
        self.enter()?;
        self.list(end)?;
        self.leave();
        Ok(())
    }

    /// Reads commands that had to be unescaped first.
    pub(super) fn text(&mut self, text: &str, place: Place) -> Result<(), TooDeep> {
        let commands = lex(text, place, self.depth)?;
        self.found.push(Found::Finished(commands));
        Ok(())
    }

    // Lists.

    fn list(&mut self, end: End) -> Result<(), TooDeep> {
        let mut list = List::default();
        loop {
            self.blanks();
            let Some(c) = self.peek() else { break };
            match c {
                '\n' => {
                    self.bump();
                    self.flush(&mut list);
                    self.bodies();
                }
                '#' => self.comment(),
                ';' => self.semicolon(&mut list),
                '&' if self.rest().starts_with("&>") => {
                    self.bump();
                    self.redirection(&mut list.open)?;
                }
                '&' => {
                    self.bump();
                    self.flush(&mut list);
                }
                '|' => {
                    let is_or = self.rest().starts_with("||");
                    self.bump();
                    if is_or || self.peek() == Some('&') {
                        self.bump();
                    }
                    if list.mode != Mode::CasePattern {
                        list.open.into_pipe = !is_or;
                        self.flush(&mut list);
                        list.piped = !is_or;
                    }
                }
                '(' => self.parenthesis(&mut list)?,
                ')' => {
                    self.bump();
                    if list.mode == Mode::CasePattern {
                        list.mode = Mode::Commands;
                    } else {
                        self.flush(&mut list);
                        if end == End::Parenthesis {
                            return Ok(());
                        }
                    }
                }
                '<' | '>' if !self.rest()[1..].starts_with('(') => {
                    self.redirection(&mut list.open)?;
                }
                _ => self.next_word(&mut list)?,
            }
        }
        self.flush(&mut list);
        Ok(())
    }

    /// Ends the command that is being read.
    pub(super) fn flush(&mut self, list: &mut List) {
        let mut open = std::mem::take(&mut list.open);
        match list.mode {
            Mode::Commands => {}
            Mode::Header => {
                open.words.clear();
                list.mode = Mode::Commands;
            }
            Mode::CaseWord | Mode::CasePattern | Mode::FunctionName => open.words.clear(),
        }
        if !(open.words.is_empty() && open.writes.is_empty()) {
            open.depth = self.depth;
            open.from_pipe = std::mem::take(&mut list.piped);
            self.found.push(Found::Command(open));
        }
    }

    fn next_word(&mut self, list: &mut List) -> Result<(), TooDeep> {
        let Some(word) = self.word()? else {
            self.bump();
            return Ok(());
        };
        // A line continuation between two words.
        if word.text.is_empty() && !word.quoted {
            return Ok(());
        }
        // The number before a redirection, or the variable for it, is no word of the command.
        let is_descriptor = word.text.bytes().all(|byte| byte.is_ascii_digit())
            || word
                .text
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .is_some_and(is_name);
        if is_descriptor && !word.quoted && self.rest().starts_with(['<', '>']) {
            return Ok(());
        }
        if list.mode == Mode::Commands && is_silent_keyword(&word) && at_command(&list.open.words) {
            list.open.words.clear();
            return Ok(());
        }
        self.grammar(list, word)
    }

    // Words.

    /// Reads one word; none where an operator stands.
    pub(super) fn word(&mut self) -> Result<Option<Word>, TooDeep> {
        let place = self.place;
        let start = self.at;
        let mut piece = Piece::default();
        while let Some(c) = self.peek() {
            match c {
                '\r' if matches!(self.rest().as_bytes().get(1), None | Some(b'\n')) => break,
                '<' | '>' if self.rest()[1..].starts_with('(') => {
                    self.bump();
                    self.bump();
                    self.nested(End::Parenthesis)?;
                    piece.hole(false);
                }
                '(' if piece.text.ends_with(['?', '*', '+', '@', '!']) && piece.text != "!" => {
                    self.balanced(&mut piece)?;
                }
                '(' if piece.text.strip_suffix('=').is_some_and(is_array_name) => {
                    self.array()?;
                    piece.hole(false);
                }
                ' ' | '\t' | '\n' | ';' | '&' | '|' | ')' | '<' | '>' | '(' => break,
                '\\' => self.escape(&mut piece),
                '\'' => self.single(&mut piece),
                '"' => self.double(&mut piece)?,
                '$' => self.dollar(&mut piece, false)?,
                '`' => self.backtick(&mut piece, false)?,
                // A text within a text, or what make and just replace.
                HOLE => {
                    self.bump();
                    piece.hole(true);
                }
                _ => {
                    self.bump();
                    piece.push_bare(c);
                }
            }
        }
        // Nothing but line continuations is no word, yet something was read.
        let is_word = !piece.is_empty() || self.at > start;
        Ok(is_word.then(|| piece.into_word(place)))
    }

    // Redirections.

    fn redirection(&mut self, open: &mut Open) -> Result<(), TooDeep> {
        const OPERATORS: [&str; 12] =
            ["<<<", "<<-", "<<", "<>", "<&", "<", ">>", ">|", ">&", ">", "&>>", "&>"];
        let rest = self.rest();
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        let operator = operator.copied().unwrap_or(">");
        self.skip_to(self.at + operator.len());
        if matches!(operator, "<<" | "<<-") {
            let delimiter = self.delimiter();
            let input = self.input(String::new(), self.place);
            open.inputs.push(input);
            self.pending.push(Pending { input, delimiter, dedent: operator == "<<-" });
            return Ok(());
        }
        self.blanks();
        let Some(word) = self.word()? else { return Ok(()) };
        match operator {
            "<<<" => {
                let input = self.input(word.text, word.place);
                open.inputs.push(input);
            }
            "<&" | "<" => {}
            ">&" if word.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {}
            _ => open.writes.push(word),
        }
        Ok(())
    }
}

/// Whether the next word may be a keyword or a program: nothing stands before it but `time`.
pub(super) fn at_command(words: &[Word]) -> bool {
    // Nobody writes more of them; looking at all of a long list, word by word, would take time squared.
    words.len() <= 8 && words.iter().all(|word| word.is_keyword("time") || word.is_keyword("-p"))
}

fn is_array_name(text: &str) -> bool {
    is_name(text.strip_suffix('+').unwrap_or(text))
}
