//! `# ports:allow reason`: a number excused where it stands, by someone who says why.

use super::annotation::OPENINGS;
use super::page::Page;

const MARK: &[u8] = b"ports:allow";

/// What an excuse is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// There is none.
    None,
    /// There is one, with its reason.
    Given,
    /// It gives no reason, on this line from 0: that is none.
    WithoutReason(usize),
}

/// The excuse for something on a line: there, or on the line above when that holds nothing else.
pub(crate) fn excuse(page: &Page<'_>, line: usize) -> Excuse {
    let here = on(page, line);
    match line.checked_sub(1) {
        Some(above) if here != Excuse::Given && is_alone(page.line(above)) => match on(page, above)
        {
            Excuse::None => here,
            found => found,
        },
        _ => here,
    }
}

fn on(page: &Page<'_>, line: usize) -> Excuse {
    let text = page.line(line);
    let Some(mark) = text.windows(MARK.len()).position(|window| window == MARK) else {
        return Excuse::None;
    };
    let before = text[..mark].trim_ascii_end();
    let after = &text[mark + MARK.len()..];
    if !OPENINGS.iter().any(|open| before.ends_with(open))
        || after.first().is_some_and(|byte| !byte.is_ascii_whitespace())
    {
        return Excuse::None;
    }
    let reason = after.strip_suffix(b"-->").or_else(|| after.strip_suffix(b"*/")).unwrap_or(after);
    if reason.trim_ascii().is_empty() { Excuse::WithoutReason(line) } else { Excuse::Given }
}

fn is_alone(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    OPENINGS.iter().any(|open| text.starts_with(open))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::kind::Kind;

    #[test]
    fn a_reason_is_needed() {
        let of = |text: &str, line| excuse(&Page::new(text.as_bytes(), Kind::Config), line);
        assert_eq!(of("A_PORT=1 # ports:allow a test\n", 0), Excuse::Given);
        assert_eq!(of("# ports:allow a test\nA_PORT=1\nB_PORT=2", 1), Excuse::Given);
        assert_eq!(of("# ports:allow a test\nA_PORT=1\nB_PORT=2", 2), Excuse::None);
        assert_eq!(of("x # ports:allow a test\nA_PORT=1", 1), Excuse::None);
        assert_eq!(of("# ports:allow\nA_PORT=1", 1), Excuse::WithoutReason(0));
        assert_eq!(of("A <!-- ports:allow -->", 0), Excuse::WithoutReason(0));
        assert_eq!(of("echo ports:allow x", 0), Excuse::None);
        assert_eq!(of("# ports:allowed x", 0), Excuse::None);
    }
}
