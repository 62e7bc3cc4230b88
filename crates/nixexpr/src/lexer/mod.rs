//! Nix's own token rules (its `lexer.l`), as a check on the parser's.
//!
//! The parser's tokenizer follows heuristics where Nix takes the longest match of regular expressions. A text that
//! the two cut differently could mean two things, so it is refused. The same pass bounds how deep a tree the text
//! can make before the parser, which recurses, sees it.

mod agreement;
mod lengths;
mod levels;

use self::levels::{Levels, Open};

pub(crate) use self::agreement::disagreement;

/// What a token is, as far as the two tokenizers have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Word,
    Int,
    Float,
    Path,
    Uri,
    StringEdge,
    StringText,
    Interpolation,
    Sign,
}

/// One token that is not white space or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) class: Class,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a text is made of.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) lexemes: Vec<Lexeme>,
    /// A bound on the depth of the tree, keywords and functions aside.
    pub(crate) depth: usize,
    /// A bound on how many expressions the parser's own limit counts.
    pub(crate) expressions: usize,
    /// Where the first `let {` is, which the parser reads otherwise than Nix when something follows it.
    pub(crate) legacy_let: Option<usize>,
}

/// Why a text is not scanned to its end, and the byte where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    TooDeep(usize),
    /// A bracket closes what is not open. The parser goes on after such errors, with no bound on its depth.
    Unmatched {
        at: usize,
        length: usize,
        wanted: &'static str,
    },
}

/// The longest run of characters that a path may be made of, as the parser looks through the run at each token.
const RUN: usize = 4_096;

/// Words that do not end an operand.
const KEYWORDS: [&[u8]; 10] =
    [b"if", b"then", b"else", b"assert", b"with", b"let", b"in", b"rec", b"inherit", b"or"];

/// The rules that are active, as the states of Nix's lexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Text,
    Indented,
    Path,
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    states: Vec<State>,
    levels: Levels,
    scan: Scan,
}

/// Cuts `text` into Nix's tokens.
pub(crate) fn scan(text: &str) -> Result<Scan, Stop> {
    let mut lexer = Lexer {
        text: text.as_bytes(),
        at: 0,
        states: vec![State::Plain],
        levels: Levels::new(),
        scan: Scan::default(),
    };
    while lexer.at < lexer.text.len() {
        match lexer.states.last() {
            Some(State::Text) => lexer.text(false)?,
            Some(State::Indented) => lexer.text(true)?,
            Some(State::Path) => lexer.path_rest(),
            Some(State::Plain) | None => lexer.plain()?,
        }
        lexer.scan.depth = lexer.scan.depth.max(lexer.levels.depth());
        if lexer.levels.too_deep() {
            return Err(Stop::TooDeep(lexer.at));
        }
    }
    Ok(lexer.scan)
}

impl Lexer<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn starts(&self, at: usize, what: &[u8]) -> bool {
        self.text.get(at..).is_some_and(|rest| rest.starts_with(what))
    }

    /// How many bytes from `at` on satisfy `test`.
    fn run(&self, at: usize, test: impl Fn(u8) -> bool) -> usize {
        self.text.get(at..).map_or(0, |rest| rest.iter().take_while(|&&byte| test(byte)).count())
    }

    fn emit(&mut self, class: Class, length: usize) {
        let start = self.at;
        self.at += length;
        self.scan.lexemes.push(Lexeme { class, start, end: self.at });
    }

    /// Adds to the last token where Nix has several tokens and the parser one.
    fn extend(&mut self, class: Class, length: usize) {
        match self.scan.lexemes.last_mut() {
            Some(last) if last.class == class && last.end == self.at => {
                self.at += length;
                last.end = self.at;
            }
            _ => self.emit(class, length),
        }
    }

    /// Closes a level by a token of `length` bytes.
    fn close(&mut self, wanted: &[Open], length: usize) -> Result<(), Stop> {
        let at = self.at;
        self.levels.close(wanted).map_err(|wanted| Stop::Unmatched { at, length, wanted })
    }

    /// Whether the last token ended an operand: only then a `;` ends a binding, to the parser too.
    fn after_operand(&self) -> bool {
        self.scan.lexemes.last().is_some_and(|last| match last.class {
            Class::Word => !KEYWORDS.contains(&self.word_of(*last)),
            Class::Sign | Class::Interpolation => {
                matches!(self.word_of(*last), b"}" | b")" | b"]")
            }
            _ => true,
        })
    }

    fn word_of(&self, lexeme: Lexeme) -> &[u8] {
        self.text.get(lexeme.start..lexeme.end).unwrap_or_default()
    }

    fn plain(&mut self) -> Result<(), Stop> {
        let at = self.at;
        let blank = self.run(at, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        if blank > 0 {
            self.at += blank;
            return Ok(());
        }
        if self.byte(at) == b'#' {
            self.at += self.run(at, |byte| byte != b'\n' && byte != b'\r');
            return Ok(());
        }
        if let Some(length) = self.long_comment() {
            self.at += length;
            return Ok(());
        }
        let run = self.run(at, is_path_byte);
        if run > RUN {
            return Err(Stop::TooDeep(at));
        }
        self.word(run)
    }

    /// `/\*([^*]|\*+[^*/])*\*+/`, none if it is not closed.
    fn long_comment(&self) -> Option<usize> {
        if !self.starts(self.at, b"/*") {
            return None;
        }
        let body = self.text.get(self.at + 2..)?;
        body.windows(2).position(|pair| pair == b"*/").map(|end| end + 4)
    }

    /// The longest match wins, and of two equally long ones the rule that Nix lists first.
    fn word(&mut self, run: usize) -> Result<(), Stop> {
        let (at, first) = (self.at, self.byte(self.at));
        let path = self.path(run);
        let id = if first.is_ascii_alphabetic() || first == b'_' {
            self.run(at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\'' | b'-'))
        } else {
            0
        };
        let int = self.run(at, |byte| byte.is_ascii_digit());
        let float = self.float(int);
        let (search, uri) = (self.search(), self.uri());
        let sign = self.sign();
        let best = [path, id, int, float, search, uri, sign].into_iter().max().unwrap_or(0);
        if best == sign && best > id.max(path) {
            self.sign_token(sign)?;
        } else if best == id {
            self.keyword(id)?;
        } else if best == int || best == float {
            self.levels.operand();
            self.emit(if best == int { Class::Int } else { Class::Float }, best);
        } else if best == path {
            self.levels.operand();
            self.states.push(State::Path);
            // `x/${` opens a path whose first token ends before the `$`.
            let length = if self.starts(at + path - 2, b"${") { path - 2 } else { path };
            self.emit(Class::Path, length);
        } else if best == search {
            self.levels.operand();
            self.emit(Class::Path, search);
        } else {
            self.levels.operand();
            self.emit(Class::Uri, uri);
        }
        Ok(())
    }

    fn keyword(&mut self, length: usize) -> Result<(), Stop> {
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        match word {
            b"let" => {
                self.scan.expressions += 1;
                self.levels.open(Open::Let);
            }
            b"in" => {
                self.scan.expressions += 1;
                // A `let` without bindings is one too, so each `in` has its `let`.
                self.close(&[Open::Let], length)?;
            }
            b"if" | b"then" | b"else" | b"assert" | b"with" => self.scan.expressions += 1,
            b"or" => self.levels.nest(),
            b"rec" | b"inherit" => {}
            _ => self.levels.operand(),
        }
        self.emit(Class::Word, length);
        Ok(())
    }

    /// What follows in a path: pieces, interpolations, or its end.
    fn path_rest(&mut self) {
        if self.starts(self.at, b"${") {
            self.interpolation();
            return;
        }
        match self.run(self.at, |byte| is_path_byte(byte) || byte == b'/') {
            0 => {
                self.states.pop();
            }
            length => self.extend(Class::Path, length),
        }
    }

    fn sign_token(&mut self, length: usize) -> Result<(), Stop> {
        let first = self.byte(self.at);
        match (first, length) {
            (b'$', 2) => {
                self.interpolation();
                return Ok(());
            }
            (b'"', _) | (b'\'', 2) => {
                self.levels.operand();
                self.levels.open(Open::Text);
                self.states.push(if first == b'"' { State::Text } else { State::Indented });
                self.emit(Class::StringEdge, length);
                return Ok(());
            }
            (b'{', _) => {
                self.brace();
                return Ok(());
            }
            (b'(' | b'[', _) => {
                self.levels.operand();
                self.levels.open(if first == b'[' { Open::Bracket } else { Open::Paren });
                self.scan.expressions += 1;
            }
            (b')', _) => self.close(&[Open::Paren], 1)?,
            (b']', _) => self.close(&[Open::Bracket], 1)?,
            (b'}', _) => {
                let inside = self.levels.innermost() == Open::Interpolation;
                self.close(&[Open::Brace, Open::Interpolation], 1)?;
                self.states.pop();
                self.emit(if inside { Class::Interpolation } else { Class::Sign }, 1);
                return Ok(());
            }
            (b';' | b',', _) if self.after_operand() => self.levels.settle(),
            (b':' | b'@', _) => self.scan.expressions += 1,
            (b'.' | b'=', 1) => {}
            _ => self.levels.nest(),
        }
        self.emit(Class::Sign, length);
        Ok(())
    }

    fn brace(&mut self) {
        if let Some(&last) = self.scan.lexemes.last()
            && self.word_of(last) == b"let"
        {
            self.scan.legacy_let = self.scan.legacy_let.or(Some(last.start));
            let _closed = self.levels.close(&[Open::Let]);
        }
        self.levels.operand();
        self.levels.open(Open::Brace);
        self.scan.expressions += 1;
        self.states.push(State::Plain);
        self.emit(Class::Sign, 1);
    }

    fn interpolation(&mut self) {
        self.levels.open(Open::Interpolation);
        self.states.push(State::Plain);
        self.scan.expressions += 1;
        self.emit(Class::Interpolation, 2);
    }

    /// The text of a string up to its end or the next `${`.
    fn text(&mut self, indented: bool) -> Result<(), Stop> {
        let mut end = self.at;
        loop {
            let (one, two, three) = (self.byte(end), self.byte(end + 1), self.byte(end + 2));
            if end >= self.text.len() {
                break;
            }
            end += match (indented, one, two, three) {
                (false, b'"', ..) | (_, b'$', b'{', _) => break,
                (true, b'\'', b'\'', next) if !matches!(next, b'$' | b'\'' | b'\\') => break,
                (true, b'\'', b'\'', b'\\') => 4,
                (true, b'\'', b'\'', _) | (false, b'$', b'\\', _) => 3,
                // A quote or a dollar takes what follows with it, unless that has a meaning of its own.
                (false, b'$', b'"', _) | (true, b'\'', b'$', _) | (true, b'$', b'\'', _) => 1,
                (_, b'$', ..) | (false, b'\\', ..) | (true, b'\'', ..) => 2,
                _ => 1,
            };
        }
        let end = end.min(self.text.len());
        if end > self.at {
            self.emit(Class::StringText, end - self.at);
        }
        if self.starts(self.at, b"${") {
            self.interpolation();
        } else if self.at < self.text.len() {
            let length = if indented { 2 } else { 1 };
            self.close(&[Open::Text], length)?;
            self.states.pop();
            self.emit(Class::StringEdge, length);
        }
        Ok(())
    }
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+')
}
