//! What stands before a number, read from right to left.

/// The rest of a line on the left of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left<'a>(pub(super) &'a [u8]);

impl<'a> Left<'a> {
    /// Steps over blanks; says how many.
    pub(super) fn blanks(&mut self) -> usize {
        let trimmed = self.0.trim_ascii_end();
        let count = self.0.len() - trimmed.len();
        self.0 = trimmed;
        count
    }

    /// Steps over a text, if it is there.
    pub(super) fn text(&mut self, text: &[u8]) -> bool {
        let rest = self.0.strip_suffix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Steps over a quote, if there is one, which may be escaped as it is inside of another string.
    pub(super) fn quote(&mut self) -> bool {
        let is_quote = self.text(b"\"") || self.text(b"'");
        if is_quote {
            self.text(b"\\");
        }
        is_quote
    }

    /// Steps over all bytes that pass a test.
    pub(super) fn while_is(&mut self, test: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.0.iter().rposition(|&byte| !test(byte)).map_or(0, |at| at + 1);
        let (rest, word) = self.0.split_at(start);
        self.0 = rest;
        word
    }

    /// Steps over the name of a variable, a setting or an option, dashes and dots included.
    pub(super) fn name(&mut self) -> &'a str {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        std::str::from_utf8(self.while_is(is_name)).unwrap_or_default()
    }

    pub(super) fn last(&self) -> Option<u8> {
        self.0.last().copied()
    }

    /// Steps over the host in front of a port: an IPv4 address, or an address in brackets.
    pub(super) fn address(&mut self) -> Option<&'a [u8]> {
        let mut rest = *self;
        let address = if rest.text(b"]") {
            let inside =
                rest.while_is(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
            rest.text(b"[").then_some(inside)?
        } else {
            let address = rest.while_is(|byte| byte.is_ascii_digit() || byte == b'.');
            let bounded = rest
                .last()
                .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
            (bounded && is_ipv4(address)).then_some(address)?
        };
        *self = rest;
        Some(address)
    }
}

fn is_ipv4(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<std::net::Ipv4Addr>().is_ok())
}

/// Whether a value may end before this: at a blank, a quote, or what separates values and commands.
pub(super) fn ends(after: &[u8]) -> bool {
    match after {
        [] => true,
        // The end of a sentence.
        [b'.', rest @ ..] => rest.first().is_none_or(u8::is_ascii_whitespace),
        [byte, ..] => byte.is_ascii_whitespace() || b",;)}]#&|<>\"'`\\".contains(byte),
    }
}

/// Whether a value ends before this, its own quote included when it was opened by one.
pub(super) fn ends_quoted(after: &[u8], quoted: bool) -> bool {
    if !quoted {
        return ends(after);
    }
    let after = after.strip_prefix(b"\\").unwrap_or(after);
    matches!(after, [b'"' | b'\'', rest @ ..] if ends(rest) || rest.starts_with(b":"))
}
