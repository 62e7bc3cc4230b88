//! From text to the words inside `{{` and `}}`.

use super::TemplateError;

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// What is printed as it is.
    Text(String),
    /// An action: its words, and where it begins.
    Action(Vec<(Token, usize)>, usize),
}

/// A word of an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `if`, `printf`, `true`.
    Word(String),
    /// `.A`; it is stuck to what is before it, or stands alone.
    Field(String, bool),
    /// `$x`, `$`.
    Variable(String),
    /// `.` alone.
    Dot,
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    /// `)`.
    Close,
    Comma,
    /// `:=`.
    Declare,
    /// `=`.
    Assign,
}

fn error<T>(at: usize, what: impl Into<String>) -> Result<T, TemplateError> {
    Err(TemplateError { at, what: what.into() })
}

/// Cuts a template into parts; `{{-` and `-}}` have trimmed the text around them.
pub(super) fn parts(template: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    while let Some(found) = template[at..].find("{{") {
        let open = at + found;
        let mut text = &template[at..open];
        if std::mem::take(&mut trim_next) {
            text = text.trim_start_matches([' ', '\t', '\r', '\n']);
        }
        let mut inside = open + 2;
        if is_trim(&template[inside..]) {
            text = text.trim_end_matches([' ', '\t', '\r', '\n']);
            inside += 2;
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let rest = &template[inside..];
        if rest.trim_start().starts_with("/*") {
            let Some(end) = rest.find("*/") else { return error(open, "the comment has no end") };
            let rest = rest[end + 2..].trim_start();
            let close = rest.strip_prefix('-').unwrap_or(rest);
            trim_next = close.len() < rest.len();
            let Some(behind) = close.strip_prefix("}}") else {
                return error(open, "a comment stands alone between `{{` and `}}`");
            };
            at = template.len() - behind.len();
            continue;
        }
        let mut lexer = Lexer { text: template, at: inside, words: Vec::new() };
        trim_next = lexer.action(open)?;
        at = lexer.at;
        parts.push(Part::Action(lexer.words, open));
    }
    let mut text = &template[at..];
    if trim_next {
        text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(parts)
}

/// `-` and a space behind it: `{{-3}}` is a number.
fn is_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('-') && chars.next().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    words: Vec<(Token, usize)>,
}

impl Lexer<'_> {
    /// Reads up to `}}`; true when that trims what is behind.
    fn action(&mut self, open: usize) -> Result<bool, TemplateError> {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            let has_space = trimmed.len() < rest.len();
            self.at += rest.len() - trimmed.len();
            if let Some(behind) = trimmed.strip_prefix("}}") {
                self.at = self.text.len() - behind.len();
                return Ok(false);
            }
            if has_space && let Some(behind) = trimmed.strip_prefix("-}}") {
                self.at = self.text.len() - behind.len();
                return Ok(true);
            }
            if trimmed.is_empty() {
                return error(open, "`{{` has no `}}`");
            }
            let start = self.at;
            let token = self.token(has_space || self.words.is_empty())?;
            self.words.push((token, start));
        }
    }

    fn token(&mut self, has_space: bool) -> Result<Token, TemplateError> {
        let start = self.at;
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else { return error(start, "nothing") };
        let second = rest[first.len_utf8()..].chars().next();
        match first {
            '|' => Ok(self.take(1, Token::Pipe)),
            '(' => Ok(self.take(1, Token::Open)),
            ')' => Ok(self.take(1, Token::Close)),
            ',' => Ok(self.take(1, Token::Comma)),
            ':' if second == Some('=') => Ok(self.take(2, Token::Declare)),
            '=' => Ok(self.take(1, Token::Assign)),
            '"' => self.quoted(),
            '`' => match rest[1..].find('`') {
                Some(end) => Ok(self.take(end + 2, Token::Text(rest[1..=end].to_owned()))),
                None => error(start, "the raw string has no end"),
            },
            '\'' => self.character(),
            '$' => {
                let name = self.word(1);
                Ok(Token::Variable(name))
            }
            '.' if second.is_some_and(|c| c.is_alphabetic() || c == '_') => {
                let stuck = !has_space && self.joins();
                let name = self.word(1);
                Ok(Token::Field(name[1..].to_owned(), stuck))
            }
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => Ok(self.take(1, Token::Dot)),
            '+' | '-' | '.' | '0'..='9' => self.number(),
            c if c.is_alphabetic() || c == '_' => {
                let word = self.word(0);
                Ok(Token::Word(word))
            }
            c => error(start, format!("`{}` has no meaning in a template", c.escape_default())),
        }
    }

    /// Whether a field goes with the word before it: `$x.A`, `(…).A`, `.A.B`.
    fn joins(&self) -> bool {
        matches!(self.words.last(), Some((Token::Field(..) | Token::Variable(_) | Token::Close, _)))
    }

    fn take(&mut self, length: usize, token: Token) -> Token {
        self.at += length;
        token
    }

    fn word(&mut self, skip: usize) -> String {
        let rest = &self.text[self.at..];
        let end = rest[skip..]
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(rest.len(), |end| end + skip);
        self.at += end;
        rest[..end].to_owned()
    }

    fn number(&mut self) -> Result<Token, TemplateError> {
        let start = self.at;
        let rest = &self.text[start..];
        let is_part = |(at, c): (usize, char)| {
            c.is_ascii_alphanumeric()
                || matches!(c, '.' | '_')
                || (matches!(c, '+' | '-') && (at == 0 || rest[..at].ends_with(['e', 'E'])))
        };
        let end = rest.char_indices().find(|&part| !is_part(part)).map_or(rest.len(), |(at, _)| at);
        let text = rest[..end].replace('_', "");
        self.at += end;
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let radix = |from: &str, radix| i64::from_str_radix(from, radix).ok();
        let int = match digits.as_bytes() {
            [b'0', b'x' | b'X', ..] => radix(&digits[2..], 16),
            [b'0', b'o' | b'O', ..] => radix(&digits[2..], 8),
            [b'0', b'b' | b'B', ..] => radix(&digits[2..], 2),
            [b'0', _, ..] if digits.bytes().all(|b| b.is_ascii_digit()) => radix(digits, 8),
            _ => digits.parse().ok(),
        };
        if let Some(number) = int {
            return Ok(Token::Int(sign * number));
        }
        match text.parse::<f64>() {
            Ok(number) if !text.ends_with("inf") && !text.ends_with("nan") => {
                Ok(Token::Float(number))
            }
            _ => error(start, format!("`{}` is no number", &rest[..end])),
        }
    }

    fn quoted(&mut self) -> Result<Token, TemplateError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.text[self.at..].chars().next() {
                None | Some('\n') => return error(start, "the string has no end"),
                Some('"') => return Ok(self.take(1, Token::Text(text))),
                Some('\\') => text.push(self.escape()?),
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    /// `'x'` is the number of its character, as in Go.
    fn character(&mut self) -> Result<Token, TemplateError> {
        let start = self.at;
        self.at += 1;
        let c = match self.text[self.at..].chars().next() {
            Some('\\') => self.escape()?,
            Some(c) if c != '\'' && c != '\n' => {
                self.at += c.len_utf8();
                c
            }
            _ => {
                return error(
                    start,
                    "strings stand in double quotes or backquotes, not in single ones",
                );
            }
        };
        if !self.text[self.at..].starts_with('\'') {
            return error(
                start,
                "strings stand in double quotes or backquotes, not in single ones",
            );
        }
        Ok(self.take(1, Token::Int(i64::from(u32::from(c)))))
    }

    fn escape(&mut self) -> Result<char, TemplateError> {
        let start = self.at;
        let mut chars = self.text[start + 1..].chars();
        let kind = chars.next();
        let digits = |count: usize, radix: u32, skip: usize| {
            let digits = self.text.get(start + skip..start + skip + count)?;
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        };
        let (c, length) = match kind {
            Some('a') => (Some('\u{7}'), 2),
            Some('b') => (Some('\u{8}'), 2),
            Some('f') => (Some('\u{c}'), 2),
            Some('n') => (Some('\n'), 2),
            Some('r') => (Some('\r'), 2),
            Some('t') => (Some('\t'), 2),
            Some('v') => (Some('\u{b}'), 2),
            Some(c @ ('\\' | '\'' | '"')) => (Some(c), 2),
            Some('x') => (digits(2, 16, 2), 4),
            Some('u') => (digits(4, 16, 2), 6),
            Some('U') => (digits(8, 16, 2), 10),
            Some('0'..='7') => (digits(3, 8, 1), 4),
            _ => (None, 0),
        };
        let Some(c) = c else { return error(start, "the escape has no meaning") };
        self.at += length;
        Ok(c)
    }
}
