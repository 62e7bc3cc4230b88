//! JSON texts, read as Nix's library reads them: strictly by RFC 8259, integers apart from floats.

use crate::data::{Data, DataError, Kind, Member};
use crate::source::Span;

/// Arrays and objects inside each other.
const DEPTH: usize = 200;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// Reads one JSON value.
///
/// ```
/// let data = nixexpr::data::parse_json("{\"redis\": 6379}").unwrap();
/// let nixexpr::data::Kind::Set(members) = data.kind else { panic!() };
/// assert_eq!(members[0].value.kind, nixexpr::data::Kind::Int(6379));
/// ```
///
/// # Errors
/// [`DataError::Syntax`] for what is not JSON, [`DataError::Unsupported`] for integers that Nix has no room for and
/// for deep nesting.
pub fn parse(text: &str) -> Result<Data, DataError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let data = reader.value()?;
    reader.blank();
    if reader.at < text.len() {
        return Err(DataError::syntax(reader.at, "unexpected text after the value"));
    }
    Ok(data)
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.byte() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, DataError> {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("`{}`", c.escape_debug()),
            None => "the end".to_owned(),
        };
        Err(DataError::syntax(self.at, format!("expected {wanted} but found {found}")))
    }

    fn value(&mut self) -> Result<Data, DataError> {
        self.blank();
        let start = self.at;
        let kind = match self.byte() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let words = [
                    ("null", Kind::Null),
                    ("true", Kind::Bool(true)),
                    ("false", Kind::Bool(false)),
                ];
                let rest = self.text.get(start..).unwrap_or("");
                let Some((word, kind)) = words.into_iter().find(|(word, _)| rest.starts_with(word))
                else {
                    return self.unexpected("a value");
                };
                self.at += word.len();
                kind
            }
        };
        Ok(Data { kind, span: Span::of(start, self.at) })
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Kind, DataError>,
    ) -> Result<Kind, DataError> {
        if self.depth >= DEPTH {
            return Err(DataError::unsupported(self.at, "so many levels"));
        }
        self.depth += 1;
        self.at += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn array(&mut self) -> Result<Kind, DataError> {
        let mut items = Vec::new();
        self.blank();
        if self.take(b']') {
            return Ok(Kind::List(items));
        }
        loop {
            items.push(self.value()?);
            self.blank();
            if self.take(b']') {
                return Ok(Kind::List(items));
            }
            if !self.take(b',') {
                return self.unexpected("`,` or `]`");
            }
        }
    }

    fn object(&mut self) -> Result<Kind, DataError> {
        let mut members = Vec::new();
        self.blank();
        if self.take(b'}') {
            return Ok(Kind::Set(members));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.byte() != Some(b'"') {
                return self.unexpected("a name in quotes");
            }
            let name = self.string()?;
            let span = Span::of(start, self.at);
            self.blank();
            if !self.take(b':') {
                return self.unexpected("`:`");
            }
            members.push(Member { name, span, value: self.value()? });
            self.blank();
            if self.take(b'}') {
                return Ok(Kind::Set(members));
            }
            if !self.take(b',') {
                return self.unexpected("`,` or `}`");
            }
        }
    }

    fn digits(&mut self) -> Result<(), DataError> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.unexpected("a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Kind, DataError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            whole = false;
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if whole {
            return text.parse().map(Kind::Int).map_err(|_| {
                DataError::unsupported(start, format!("the integer {text}, which has over 64 bits"))
            });
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Kind::Float(number)),
            _ => Err(DataError::unsupported(start, format!("the number {text}"))),
        }
    }

    fn string(&mut self) -> Result<String, DataError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or("");
            let plain =
                rest.bytes().take_while(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
            let length = plain.count();
            out.push_str(&rest[..length]);
            self.at += length;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.unexpected("the end of the string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, DataError> {
        let start = self.at;
        self.at += 1;
        let plain = match self.byte() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                self.at += 1;
                return self.unicode(start);
            }
            _ => return self.unexpected("an escape"),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self, start: usize) -> Result<char, DataError> {
        let first = self.hex()?;
        let code = match first {
            0xd800..0xdc00 => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return self.unexpected("the other half of a surrogate pair");
                }
                let second = self.hex()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(DataError::syntax(start, "half of a surrogate pair"));
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            0 => {
                return Err(DataError::syntax(
                    start,
                    "a NUL byte, which a string of Nix cannot hold",
                ));
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| DataError::syntax(start, "half of a surrogate pair"))
    }

    fn hex(&mut self) -> Result<u32, DataError> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(code) if valid => {
                self.at += 4;
                Ok(code)
            }
            _ => self.unexpected("four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        parse(text).unwrap().kind
    }

    #[test]
    fn scalars() {
        assert_eq!(kind(" null "), Kind::Null);
        assert_eq!(kind("-0"), Kind::Int(0));
        assert_eq!(kind("9223372036854775807"), Kind::Int(i64::MAX));
        assert_eq!(kind("1e3"), Kind::Float(1000.0));
        assert_eq!(
            kind("\"a\\u00e9\\ud83d\\ude00\\n\\/\""),
            Kind::Text("a\u{e9}\u{1f600}\n/".into())
        );
    }

    #[test]
    fn spans_are_of_the_text() {
        let text = "{ \"a\": [1, 22] }";
        let Kind::Set(members) = kind(text) else { panic!() };
        assert_eq!(&text[members[0].span.range()], "\"a\"");
        let Kind::List(items) = &members[0].value.kind else { panic!() };
        assert_eq!(&text[items[1].span.range()], "22");
    }

    #[test]
    fn what_is_not_json() {
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"a\nb\"",
            "nul",
            "1 2",
            "[",
            "{\"a\"",
            "\"\\u0000\"",
            "\"\\u12g4\"",
            "-",
        ] {
            assert!(matches!(parse(text), Err(DataError::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn what_nix_has_no_room_for() {
        for text in ["9223372036854775808", "-9223372036854775809", "1e999"] {
            assert!(matches!(parse(text), Err(DataError::Unsupported { .. })), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
