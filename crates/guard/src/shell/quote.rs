//! Quotes, escapes and expansions: what a word is made of.

use super::lexer::{End, Lexer};
use super::{HOLE, Place, TooDeep, Word};

/// The word being read.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) text: String,
    quoted: bool,
    /// Whether something in it is there whatever the expansions give.
    solid: bool,
    braces: Vec<usize>,
}

impl Piece {
    /// Adds a character that stands for itself.
    pub(super) fn push(&mut self, c: char) {
        self.text.push(c);
        self.solid = true;
    }

    /// Adds an unquoted character, which may be one of a brace expansion.
    pub(super) fn push_bare(&mut self, c: char) {
        if matches!(c, '{' | ',' | '}') {
            self.braces.push(self.text.len());
        }
        self.push(c);
    }

    /// Notes a quote or an escape: even an empty string is a word then.
    pub(super) fn quote(&mut self) {
        self.quoted = true;
    }

    /// Adds an expansion; `vanishing` says whether nothing may be left of it.
    pub(super) fn hole(&mut self, vanishing: bool) {
        self.text.push(HOLE);
        self.solid |= !vanishing;
    }

    /// Whether nothing was read yet.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.quoted
    }

    pub(super) fn into_word(self, place: Place) -> Word {
        let vanishing = !self.solid && !self.text.is_empty();
        let Self { text, quoted, braces, .. } = self;
        Word { text, place, quoted, vanishing, braces }
    }
}

impl Lexer<'_> {
    /// `\c` outside of quotes; a line that ends with it goes on with the next.
    pub(super) fn escape(&mut self, piece: &mut Piece) {
        self.bump();
        if self.rest().starts_with("\r\n") {
            self.bump();
        }
        match self.bump() {
            Some('\n') | None => {}
            Some(c) => {
                piece.quote();
                piece.push(c);
            }
        }
    }

    /// `'…'`
    pub(super) fn single(&mut self, piece: &mut Piece) {
        self.bump();
        piece.quote();
        while let Some(c) = self.bump() {
            if c == '\'' {
                break;
            }
            piece.push(c);
        }
    }

    /// `"…"`
    pub(super) fn double(&mut self, piece: &mut Piece) -> Result<(), TooDeep> {
        self.bump();
        piece.quote();
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.bump();
                    break;
                }
                '$' => self.dollar(piece, true)?,
                '`' => self.backtick(piece, true)?,
                '\\' => {
                    self.bump();
                    match self.bump() {
                        Some('\n') | None => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => piece.push(c),
                        Some(c) => {
                            piece.push('\\');
                            piece.push(c);
                        }
                    }
                }
                _ => {
                    self.bump();
                    piece.push(c);
                }
            }
        }
        Ok(())
    }

    /// Everything that begins with `$`.
    pub(super) fn dollar(&mut self, piece: &mut Piece, in_quotes: bool) -> Result<(), TooDeep> {
        self.bump();
        match self.peek() {
            Some('(') if self.is_arithmetic() => {
                self.arithmetic()?;
                piece.hole(false);
            }
            Some('(') => {
                self.bump();
                self.nested(End::Parenthesis)?;
                piece.hole(!in_quotes);
            }
            Some('{') => {
                let list = self.parameter(in_quotes)?;
                piece.hole(list || !in_quotes);
            }
            Some('\'') if !in_quotes => self.ansi(piece),
            Some('"') if !in_quotes => self.double(piece)?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.bump();
                }
                piece.hole(!in_quotes);
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.bump();
                piece.hole(!in_quotes || c == '@');
            }
            _ => piece.push('$'),
        }
        Ok(())
    }

    /// `${…}`; answers whether it is a list, which may be empty even in quotes.
    fn parameter(&mut self, in_quotes: bool) -> Result<bool, TooDeep> {
        self.enter()?;
        self.bump();
        // `${{ … }}` is an expression of a workflow, replaced before a shell sees the text.
        let ending = if self.peek() == Some('{') { "}}" } else { "}" };
        let start = self.at;
        let mut ignored = Piece::default();
        let mut end = self.at;
        while let Some(c) = self.peek() {
            end = self.at;
            match c {
                '}' if self.rest().starts_with(ending) => {
                    self.skip_to(self.at + ending.len());
                    break;
                }
                '\\' => self.escape(&mut ignored),
                '\'' if !in_quotes => self.single(&mut ignored),
                '"' => self.double(&mut ignored)?,
                '$' => self.dollar(&mut ignored, in_quotes)?,
                '`' => self.backtick(&mut ignored, in_quotes)?,
                _ => drop(self.bump()),
            }
        }
        self.leave();
        let inner = self.source.get(start..end).unwrap_or_default();
        Ok(inner == "@" || inner.contains("[@]"))
    }

    /// `` `…` ``; one that nothing closes is a character.
    pub(super) fn backtick(&mut self, piece: &mut Piece, in_quotes: bool) -> Result<(), TooDeep> {
        let place = self.place();
        self.bump();
        let Some(length) = closing_backtick(self.rest()) else {
            piece.push('`');
            return Ok(());
        };
        let end = self.at + length;
        let mut text = String::with_capacity(length);
        while self.at < end {
            let Some(c) = self.bump() else { break };
            if c == '\\'
                && let Some(next) = self.peek()
                && (matches!(next, '`' | '\\' | '$') || (in_quotes && next == '"'))
            {
                self.bump();
                text.push(next);
            } else {
                text.push(c);
            }
        }
        self.bump();
        self.text(&text, place.after(1))?;
        piece.hole(!in_quotes);
        Ok(())
    }

    /// `$'…'`, with the escapes of C.
    fn ansi(&mut self, piece: &mut Piece) {
        self.bump();
        piece.quote();
        while let Some(c) = self.bump() {
            match c {
                '\'' => break,
                '\\' => {
                    let code = match self.peek() {
                        Some('x') => self.code(1, 16, 2),
                        Some('u') => self.code(1, 16, 4),
                        Some('U') => self.code(1, 16, 8),
                        Some('0'..='7') => self.code(0, 8, 3),
                        _ => None,
                    };
                    let plain = || match self.bump()? {
                        'n' => Some('\n'),
                        't' => Some('\t'),
                        'r' => Some('\r'),
                        other => Some(other),
                    };
                    if let Some(c) = code.or_else(plain) {
                        piece.push(c);
                    }
                }
                _ => piece.push(c),
            }
        }
    }

    /// The character with the code that follows `skip` bytes on, in up to `digits` digits.
    fn code(&mut self, skip: usize, radix: u32, digits: usize) -> Option<char> {
        let number = self.rest().get(skip..)?;
        let length = number.chars().take(digits).take_while(|c| c.is_digit(radix)).count();
        let code = u32::from_str_radix(number.get(..length)?, radix).ok()?;
        self.skip_to(self.at + skip + length);
        char::from_u32(code)
    }
}

/// Where the backtick is that closes what the text begins inside of.
fn closing_backtick(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'`' => return Some(at),
            _ => {}
        }
    }
    None
}
