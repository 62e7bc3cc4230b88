//! Lines, indentation and the comments behind an entry.

/// Where the line that holds `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// Where the line that holds `at` ends, without its line end.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or("");
    let end = at + rest.find('\n').unwrap_or(rest.len());
    if text.get(at..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end }
}

/// The blanks that the line of `at` starts with.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..).unwrap_or("");
    let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
    &line[..end]
}

/// Whether nothing but blanks is before `at` on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    text.get(line_start(text, at)..at).is_some_and(|before| before.trim_matches(BLANK).is_empty())
}

/// Whether nothing but blanks is behind `at` on its line.
pub(super) fn is_last_on_line(text: &str, at: usize) -> bool {
    text.get(at..line_end(text, at)).is_some_and(|after| after.trim_matches(BLANK).is_empty())
}

/// How lines of the text end.
pub(super) fn newline(text: &str) -> &'static str {
    let first = text.find('\n').and_then(|at| text.get(..at));
    if first.is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" }
}

/// One step of indentation more: a tab where tabs are used.
pub(super) fn deeper(text: &str, indent: &str) -> String {
    let tabs = indent.contains('\t') || (indent.is_empty() && text.contains("\n\t"));
    format!("{indent}{}", if tabs { "\t" } else { "  " })
}

/// The blanks that end at `at`, on one line.
pub(super) fn blanks_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or("");
    &before[before.trim_end_matches(BLANK).len()..]
}

/// The bytes from `start` to `end`, and what an entry on a line of its own leaves there: its line end and indentation.
pub(super) fn with_line_break(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let line = line_start(text, start);
    if let Some(before) = line.checked_sub(1) {
        let has_return = text.get(..before).is_some_and(|before| before.ends_with('\r'));
        return before - usize::from(has_return)..end;
    }
    // The first line of the text: the line end behind it goes.
    let rest = text.get(end..).unwrap_or("");
    let behind = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    line..end + behind
}

pub(super) const BLANK: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_ends() {
        let text = "a\r\n\tb = 1; # c\r\n}";
        let b = text.find('b').unwrap();
        assert_eq!((line_start(text, b), line_end(text, b)), (3, 14));
        assert_eq!((indent(text, b), newline(text)), ("\t", "\r\n"));
        assert!(is_first_on_line(text, b) && !is_last_on_line(text, b));
        assert_eq!(with_line_break(text, b, 14), 1..14);
        assert_eq!(with_line_break("a = 1\nb = 2\n", 0, 5), 0..6);
        assert_eq!(deeper(text, ""), "\t");
        assert_eq!(deeper("x", "  "), "    ");
        assert_eq!(blanks_before("{  a", 3), "  ");
    }
}
