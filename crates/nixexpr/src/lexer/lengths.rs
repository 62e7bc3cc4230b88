//! How far each rule of Nix's lexer matches.

use super::{Lexer, is_path_byte};

impl Lexer<'_> {
    /// The length of a path at this place, the `${` after its first slash included; 0 if there is none.
    pub(super) fn path(&self, run: usize) -> usize {
        let start = match self.byte(self.at) {
            b'~' if self.byte(self.at + 1) == b'/' => self.at + 1,
            _ => self.at + run,
        };
        let mut end = start;
        while self.byte(end) == b'/' {
            match self.run(end + 1, is_path_byte) {
                0 => break,
                length => end += 1 + length,
            }
        }
        if end == start {
            return if self.starts(end, b"/${") { end + 3 - self.at } else { 0 };
        }
        end + usize::from(self.byte(end) == b'/') - self.at
    }

    pub(super) fn float(&self, int: usize) -> usize {
        let digits = |at: usize| self.run(at, |byte| byte.is_ascii_digit());
        let dot = self.at + int;
        let starts_well = match self.byte(self.at) {
            b'1'..=b'9' => true,
            b'0' => int == 1 && digits(dot + 1) > 0,
            _ => int == 0 && digits(dot + 1) > 0,
        };
        if self.byte(dot) != b'.' || !starts_well {
            return 0;
        }
        let mut end = dot + 1 + digits(dot + 1);
        if matches!(self.byte(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            match digits(end + 1 + sign) {
                0 => {}
                length => end += 1 + sign + length,
            }
        }
        end - self.at
    }

    pub(super) fn search(&self) -> usize {
        if self.byte(self.at) != b'<' {
            return 0;
        }
        let mut end = self.at + 1;
        loop {
            match self.run(end, is_path_byte) {
                0 => return 0,
                length => end += length,
            }
            match self.byte(end) {
                b'>' => return end + 1 - self.at,
                b'/' => end += 1,
                _ => return 0,
            }
        }
    }

    pub(super) fn uri(&self) -> usize {
        if !self.byte(self.at).is_ascii_alphabetic() {
            return 0;
        }
        let scheme = self.run(self.at, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
        });
        if self.byte(self.at + scheme) != b':' {
            return 0;
        }
        match self.run(self.at + scheme + 1, is_uri_byte) {
            0 => 0,
            length => scheme + 1 + length,
        }
    }

    pub(super) fn sign(&self) -> usize {
        const SIGNS: [&[u8]; 15] = [
            b"...", b"==", b"!=", b"<=", b">=", b"&&", b"||", b"->", b"//", b"++", b"<|", b"|>",
            b"${", b"''", b"\"",
        ];
        if self.byte(self.at).is_ascii_alphanumeric() || self.byte(self.at) == b'_' {
            return 0;
        }
        let length =
            SIGNS.iter().find(|sign| self.starts(self.at, sign)).map_or(1, |sign| sign.len());
        // A byte that is no token of Nix is a character to the parser.
        if length == 1 && !self.byte(self.at).is_ascii() {
            return self.run(self.at, |byte| !byte.is_ascii());
        }
        length
    }
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%/?:@&=+$,-_.!~*'".contains(&byte)
}
