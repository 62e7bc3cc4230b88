//! Keywords and parentheses: as much of the grammar as moves the place where a command begins.

use super::lexer::{End, Lexer, List, at_command};
use super::quote::Piece;
use super::{TooDeep, Word};

/// What the words that come next are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Commands.
    #[default]
    Commands,
    /// The head of `for` or `select`, up to the end of the command.
    Header,
    /// What stands between `case` and `in`.
    CaseWord,
    /// A pattern of `case`, up to its `)`.
    CasePattern,
    /// The name after `function`.
    FunctionName,
}

/// Whether a word where a command may begin only says that another command begins.
pub(super) fn is_silent_keyword(word: &Word) -> bool {
    const KEYWORDS: [&str; 13] = [
        "if", "then", "elif", "else", "fi", "do", "done", "while", "until", "!", "{", "}", "coproc",
    ];
    !word.quoted && KEYWORDS.contains(&word.text.as_str())
}

impl Lexer<'_> {
    /// Takes a word in, as the grammar has it at this place.
    pub(super) fn grammar(&mut self, list: &mut List, word: Word) -> Result<(), TooDeep> {
        let begins = at_command(&list.open.words);
        match list.mode {
            Mode::Commands if begins && (word.is_keyword("for") || word.is_keyword("select")) => {
                list.mode = Mode::Header;
            }
            Mode::Commands if begins && word.is_keyword("case") => list.mode = Mode::CaseWord,
            Mode::Commands if begins && word.is_keyword("function") => {
                list.mode = Mode::FunctionName;
            }
            Mode::Commands if begins && list.cases > 0 && word.is_keyword("esac") => {
                list.cases -= 1;
                list.open.words.clear();
            }
            Mode::Commands if begins && word.is_keyword("[[") => {
                list.open.words.push(word);
                self.condition()?;
            }
            Mode::Header if word.is_keyword("do") && list.open.words.len() == 1 => {
                list.open.words.clear();
                list.mode = Mode::Commands;
            }
            Mode::Commands | Mode::Header => list.open.words.push(word),
            Mode::CaseWord if word.is_keyword("in") => {
                list.cases += 1;
                list.mode = Mode::CasePattern;
            }
            Mode::CasePattern if word.is_keyword("esac") => {
                list.cases = list.cases.saturating_sub(1);
                list.mode = Mode::Commands;
            }
            Mode::CaseWord | Mode::CasePattern => {}
            Mode::FunctionName => {
                list.open.words.clear();
                list.mode = Mode::Commands;
            }
        }
        Ok(())
    }

    /// `;` ends a command; `;;`, `;&` and `;;&` end a branch of `case`.
    pub(super) fn semicolon(&mut self, list: &mut List) {
        self.bump();
        let branch = self.rest().starts_with([';', '&']);
        while self.rest().starts_with([';', '&']) {
            self.bump();
        }
        self.flush(list);
        if branch && list.cases > 0 {
            list.mode = Mode::CasePattern;
        }
    }

    /// `(` begins a subshell, arithmetic, or the empty list of a function's parameters.
    pub(super) fn parenthesis(&mut self, list: &mut List) -> Result<(), TooDeep> {
        if list.mode == Mode::CasePattern {
            self.bump();
            return Ok(());
        }
        let begins = list.mode == Mode::Header || at_command(&list.open.words);
        if begins && self.is_arithmetic() {
            return self.arithmetic();
        }
        self.bump();
        self.blanks();
        let before = list.open.words.split_last().map_or(&[][..], |(_, before)| before);
        if at_command(before) && self.peek() == Some(')') {
            self.bump();
            list.open.words.clear();
            return Ok(());
        }
        self.nested(End::Parenthesis)
    }

    /// `[[ … ]]`: words, and operators that redirect nothing.
    fn condition(&mut self) -> Result<(), TooDeep> {
        loop {
            self.blanks();
            let Some(c) = self.peek() else { return Ok(()) };
            let is_operator = match c {
                '\n' | ';' | '&' | '|' | '(' | ')' => true,
                '<' | '>' => !self.rest()[1..].starts_with('('),
                _ => false,
            };
            if is_operator {
                self.bump();
            } else if let Some(word) = self.word()?
                && word.is_keyword("]]")
            {
                return Ok(());
            }
        }
    }

    /// `(a b c)` of an array: words, none of them a program.
    pub(super) fn array(&mut self) -> Result<(), TooDeep> {
        self.enter()?;
        self.bump();
        loop {
            self.blanks();
            match self.peek() {
                None => break,
                Some(')') => {
                    self.bump();
                    break;
                }
                Some('#') => self.comment(),
                Some('\n' | ';' | '&' | '|' | '(') => drop(self.bump()),
                Some('<' | '>') if !self.rest()[1..].starts_with('(') => drop(self.bump()),
                Some(_) => drop(self.word()?),
            }
        }
        self.leave();
        Ok(())
    }

    /// `@(a|b)` and its like in a pattern.
    pub(super) fn balanced(&mut self, piece: &mut Piece) -> Result<(), TooDeep> {
        self.enter()?;
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '\\' => self.escape(piece),
                '\'' => self.single(piece),
                '"' => self.double(piece)?,
                '$' => self.dollar(piece, false)?,
                '`' => self.backtick(piece, false)?,
                _ => {
                    self.bump();
                    piece.push(c);
                    match c {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
        self.leave();
        Ok(())
    }
}
