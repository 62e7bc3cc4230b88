//! The lines of a text, as bytes: a text need not be UTF-8 to have ports in it.

use std::ops::Range;

use memchr::memchr_iter;

use super::kind::{Comments, Kind};

/// A longer line is not written by people.
const LONGEST_LINE: usize = 10_000;

/// A text and its lines, counted from 0.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
    pub(crate) kind: Kind,
}

impl<'a> Page<'a> {
    pub(crate) fn new(bytes: &'a [u8], kind: Kind) -> Self {
        let feeds = memchr_iter(b'\n', bytes).map(|at| at + 1);
        let starts = std::iter::once(0).chain(feeds).collect();
        Self { bytes, starts, kind }
    }

    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where a line begins.
    pub(crate) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.bytes.len())
    }

    /// A line without its end; one that is too long has nothing on it.
    pub(crate) fn line(&self, line: usize) -> &'a [u8] {
        let end = self.starts.get(line + 1).map_or(self.bytes.len(), |next| next - 1);
        let text = self.bytes.get(self.start(line)..end).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() > LONGEST_LINE { &[] } else { text }
    }

    /// A line without its comment.
    pub(crate) fn code(&self, line: usize) -> &'a [u8] {
        let text = self.line(line);
        text.get(..comment(text, self.kind.comments())).unwrap_or(text)
    }

    /// Whether there is nothing but a comment on a line.
    pub(crate) fn is_comment(&self, line: usize) -> bool {
        let code = self.code(line);
        code.len() < self.line(line).len() && code.trim_ascii().is_empty()
    }

    pub(crate) fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim_ascii().is_empty()
    }

    /// How far a line is indented; a tab counts as one.
    pub(crate) fn indent(&self, line: usize) -> usize {
        let text = self.line(line);
        text.len() - text.trim_ascii_start().len()
    }

    /// The line that a byte is on.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The line and the column of a byte, from 1, columns in characters.
    pub(crate) fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.line_of(offset);
        let before = self.bytes.get(self.start(line)..offset).unwrap_or_default();
        let characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (number(line + 1), number(characters + 1))
    }
}

/// A number on a line, of one to five digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) port: u16,
    pub(crate) at: Range<usize>,
}

/// The numbers of a line that may be ports: from 1 to 65535, no part of a word, of a fraction or of a version.
pub(crate) fn numbers(line: &[u8]) -> impl Iterator<Item = Number> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + line.get(at..)?.iter().position(u8::is_ascii_digit)?;
            let length = line[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = start + length;
            at = end;
            if let Some(port) = port(&line[start..end])
                && starts_word(&line[..start])
                && ends_word(&line[end..])
            {
                return Some(Number { port, at: start..end });
            }
        }
    })
}

/// Digits as a port.
pub(crate) fn port(digits: &[u8]) -> Option<u16> {
    if digits.len() > 5 || digits.first() == Some(&b'0') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|port| *port > 0)
}

fn starts_word(before: &[u8]) -> bool {
    match before.last() {
        // `-p5432`
        Some(b'p' | b'P') => before.ends_with(b"-p") || before.ends_with(b"-P"),
        Some(&byte) => !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'.') && byte < 0x80,
        None => true,
    }
}

fn ends_word(after: &[u8]) -> bool {
    match after {
        [b'.', next, ..] => !next.is_ascii_digit(),
        [byte, ..] => !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80,
        [] => true,
    }
}

/// Where the comment of a line starts; its end if there is none.
fn comment(line: &[u8], comments: Comments) -> usize {
    let mark: &[u8] = match comments {
        Comments::None => return line.len(),
        Comments::HashLine => {
            let is_comment = line.trim_ascii_start().first() == Some(&b'#');
            return if is_comment { 0 } else { line.len() };
        }
        Comments::Hash => b"#",
        Comments::Slashes => b"//",
    };
    let mut quote = None;
    for (at, &byte) in line.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| line.get(before)).copied();
        let begins = before.is_none_or(|before| before.is_ascii_whitespace());
        match quote {
            Some(open) if byte == open && before != Some(b'\\') => quote = None,
            None if begins && line[at..].starts_with(mark) => return at,
            // An apostrophe inside a word opens nothing.
            None if matches!(byte, b'"' | b'\'' | b'`') => {
                let opens = before.is_none_or(|before| {
                    before.is_ascii_whitespace() || b"=:([{,$".contains(&before)
                });
                quote = opens.then_some(byte);
            }
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_may_be_ports() {
        let of =
            |line: &str| numbers(line.as_bytes()).map(|number| number.port).collect::<Vec<_>>();
        assert_eq!(of("a 80, x=443; -p5432 65535."), [80, 443, 5432, 65535]);
        for line in [
            "35b", "v22", "x80", "1.2.3", "3000.5", "65536", "0", "0080", "123456", "a_80", "80_a",
            "\u{e9}80", "80\u{e9}", "0x50", "1e5",
        ] {
            assert!(of(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn comments_begin_where_nothing_is_quoted() {
        let cut = |line: &str, comments| {
            String::from_utf8_lossy(&line.as_bytes()[..comment(line.as_bytes(), comments)])
                .into_owned()
        };
        for (line, code) in [
            ("a # b", "a "),
            ("# b", ""),
            ("a#b", "a#b"),
            ("a: \"x # y\" # z", "a: \"x # y\" "),
            ("don't # b", "don't "),
            ("a: 'it # b' c", "a: 'it # b' c"),
            ("${x#y} $# z", "${x#y} $# z"),
        ] {
            assert_eq!(cut(line, Comments::Hash), code);
        }
        assert_eq!(cut("a = 'http://b'; // c", Comments::Slashes), "a = 'http://b'; ");
        assert_eq!(cut("curl http://b", Comments::Slashes), "curl http://b");
        assert_eq!(cut("  # a", Comments::HashLine), "");
        assert_eq!(cut("a # b", Comments::HashLine), "a # b");
    }

    #[test]
    fn lines_of_any_bytes() {
        let text = b"a\r\n\xff\xfe 80\n\n\xc3\xa9 81";
        let page = Page::new(text, Kind::Config);
        assert_eq!((page.count(), page.line(0), page.line(1)), (4, &b"a"[..], &b"\xff\xfe 80"[..]));
        assert_eq!(page.place(6), (2, 4));
        assert_eq!(page.place(13), (4, 3));
        let long = vec![b'1'; LONGEST_LINE + 1];
        assert!(Page::new(&long, Kind::Config).line(0).is_empty());
    }
}
