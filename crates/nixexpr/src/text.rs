//! Pieces of source for messages.

use crate::expr::{Code, ExprId};

/// The text of an expression on one line, cut when it is long.
pub(crate) fn excerpt(code: &Code, expr: ExprId) -> String {
    const LONGEST: usize = 60;
    let text = code.source.text.get(code.span(expr).range()).unwrap_or("");
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
