//! What the text between quotes stands for: escapes, and the indentation that `''` strings lose.
//!
//! Both follow Nix's `unescapeStr` and `stripIndentation` step by step; the parser's own normalisation differs from
//! Nix's in the treatment of escapes at the start of a line.

/// What `"…"` text stands for.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            '\r' => {
                out.push('\n');
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
            }
            other => out.push(other),
        }
    }
    out
}

/// One piece of an indented string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<T> {
    /// Text whose leading blanks count as indentation.
    Text(String),
    /// Text that came from an escape.
    Escaped(String),
    /// Something between `${` and `}`.
    Hole(T),
}

/// Cuts the raw text between `''` or `${…}` and the next `${…}` or `''` into pieces, as Nix's lexer does.
pub(crate) fn indented_pieces<T>(raw: &str, first: bool, pieces: &mut Vec<Piece<T>>) {
    let mut rest = raw;
    if first {
        let blank = rest.len() - rest.trim_start_matches(' ').len();
        if rest[blank..].starts_with('\n') {
            rest = &rest[blank + 1..];
        }
    }
    while !rest.is_empty() {
        let length = plain_length(rest);
        let (piece, used) = if length > 0 {
            (Piece::Text(rest[..length].to_owned()), length)
        } else if rest.starts_with("'''") {
            (Piece::Escaped("''".to_owned()), 3)
        } else if rest.starts_with("''$") {
            (Piece::Escaped("$".to_owned()), 3)
        } else if let Some(escape) = rest.strip_prefix("''\\") {
            let length = 1 + escape.chars().next().map_or(0, char::len_utf8);
            (Piece::Escaped(unescape(&rest[2..2 + length])), 2 + length)
        } else {
            // A `$` or a `'` that the rule for plain text could not take with what follows.
            let length = rest.chars().next().map_or(0, char::len_utf8);
            (Piece::Escaped(rest[..length].to_owned()), length)
        };
        rest = &rest[used..];
        pieces.push(piece);
    }
}

/// How far `([^$']|$[^{']|'[^'$])+` matches.
fn plain_length(rest: &str) -> usize {
    let mut length = 0;
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        let pair = match c {
            '$' | '\'' => match chars.next() {
                Some(next) if c == '$' && next != '{' && next != '\'' => next.len_utf8(),
                Some(next) if c == '\'' && next != '\'' && next != '$' => next.len_utf8(),
                _ => break,
            },
            _ => 0,
        };
        length += c.len_utf8() + pair;
    }
    length
}

/// Takes the common indentation away, as Nix does.
pub(crate) fn strip_indentation<T>(pieces: Vec<Piece<T>>) -> Vec<Piece<T>> {
    let indent = common_indent(&pieces);
    let count = pieces.len();
    let mut out = Vec::with_capacity(count);
    let mut at_start = true;
    let mut dropped = 0;
    for (index, piece) in pieces.into_iter().enumerate() {
        let (text, escaped) = match piece {
            Piece::Hole(hole) => {
                at_start = false;
                dropped = 0;
                out.push(Piece::Hole(hole));
                continue;
            }
            Piece::Text(text) => (text, false),
            Piece::Escaped(text) => (text, true),
        };
        let mut kept = strip(&text, indent, &mut at_start, &mut dropped);
        if index + 1 == count
            && let Some(last) = kept.rfind('\n')
            && kept[last + 1..].chars().all(|c| c == ' ')
        {
            kept.truncate(last + 1);
        }
        if !kept.is_empty() {
            out.push(if escaped { Piece::Escaped(kept) } else { Piece::Text(kept) });
        }
    }
    out
}

fn common_indent<T>(pieces: &[Piece<T>]) -> usize {
    let mut at_start = true;
    let mut least = 1_000_000;
    let mut current = 0;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            if at_start {
                at_start = false;
                least = least.min(current);
            }
            continue;
        };
        for byte in text.bytes() {
            match byte {
                b'\n' => (at_start, current) = (true, 0),
                b' ' if at_start => current += 1,
                _ if at_start => {
                    at_start = false;
                    least = least.min(current);
                }
                _ => {}
            }
        }
    }
    least
}

fn strip(text: &str, indent: usize, at_start: &mut bool, dropped: &mut usize) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        if *at_start {
            match c {
                ' ' => {
                    if *dropped >= indent {
                        kept.push(' ');
                    }
                    *dropped += 1;
                }
                '\n' => {
                    *dropped = 0;
                    kept.push('\n');
                }
                other => {
                    *at_start = false;
                    *dropped = 0;
                    kept.push(other);
                }
            }
        } else {
            kept.push(c);
            *at_start = c == '\n';
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(raw: &str) -> String {
        let mut pieces: Vec<Piece<()>> = Vec::new();
        indented_pieces(raw, true, &mut pieces);
        let text = |piece| match piece {
            Piece::Text(text) | Piece::Escaped(text) => text,
            Piece::Hole(()) => String::new(),
        };
        strip_indentation(pieces).into_iter().map(text).collect()
    }

    #[test]
    fn escapes_of_quoted_strings() {
        assert_eq!(unescape(r#"a\n\t\r\"\\\$\q"#), "a\n\t\r\"\\$q");
        assert_eq!(unescape("a\r\nb\rc"), "a\nb\nc");
    }

    #[test]
    fn the_common_indentation_goes() {
        assert_eq!(indented("\n    a\n      b\n  "), "a\n  b\n");
        assert_eq!(indented("  a\n b\n"), " a\nb\n");
        assert_eq!(indented("\n  a\n\n  b"), "a\n\nb");
        assert_eq!(indented("   "), "");
        assert_eq!(indented("\n\ta\n  b"), "\ta\n  b");
    }

    #[test]
    fn escapes_of_indented_strings() {
        assert_eq!(indented("a ''' b ''$x ''\\n c $ ' d"), "a '' b $x \n c $ ' d");
        assert_eq!(indented("\n  ''\\n x\n  y"), "\nx\ny");
    }

    #[test]
    fn a_line_end_of_another_system_is_text() {
        assert_eq!(indented("\r\n  a\r\n"), "\r\n  a\r\n");
    }
}
