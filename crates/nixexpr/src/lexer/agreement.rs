//! Whether the parser cuts a text as Nix does.

use rnix::SyntaxKind as K;

use super::{Class, Scan};

/// The first place where the parser cuts `text` differently, if there is one.
pub(crate) fn disagreement(text: &str, scan: &Scan) -> Option<usize> {
    let mut ours = scan.lexemes.iter();
    let mut at = 0;
    for (kind, piece) in rnix::tokenize(text) {
        let (start, end) = (at, at + piece.len());
        at = end;
        // The parser says so itself, and better.
        if kind == K::TOKEN_ERROR {
            return None;
        }
        if matches!(kind, K::TOKEN_WHITESPACE | K::TOKEN_COMMENT) {
            // A blank that only the parser takes for one, or a comment that Nix ends earlier.
            if ours.as_slice().first().is_some_and(|next| next.start < end) {
                return Some(start);
            }
            continue;
        }
        let class = class_of(kind);
        match ours.next() {
            Some(next) if (next.start, next.end) == (start, end) && alike(next.class, class) => {}
            _ => return Some(start),
        }
    }
    ours.next().map(|next| next.start)
}

/// A closing brace of `${` is known for one only with the brackets counted, which both sides do their own way.
fn alike(ours: Class, theirs: Class) -> bool {
    ours == theirs
        || matches!(
            (ours, theirs),
            (Class::Sign, Class::Interpolation) | (Class::Interpolation, Class::Sign)
        )
}

fn class_of(kind: K) -> Class {
    match kind {
        K::TOKEN_IDENT
        | K::TOKEN_ASSERT
        | K::TOKEN_ELSE
        | K::TOKEN_IF
        | K::TOKEN_IN
        | K::TOKEN_INHERIT
        | K::TOKEN_LET
        | K::TOKEN_OR
        | K::TOKEN_REC
        | K::TOKEN_THEN
        | K::TOKEN_WITH => Class::Word,
        K::TOKEN_INTEGER => Class::Int,
        K::TOKEN_FLOAT => Class::Float,
        K::TOKEN_PATH_ABS | K::TOKEN_PATH_HOME | K::TOKEN_PATH_REL | K::TOKEN_PATH_SEARCH => {
            Class::Path
        }
        K::TOKEN_URI => Class::Uri,
        K::TOKEN_STRING_START | K::TOKEN_STRING_END => Class::StringEdge,
        K::TOKEN_STRING_CONTENT => Class::StringText,
        K::TOKEN_INTERPOL_START | K::TOKEN_INTERPOL_END => Class::Interpolation,
        _ => Class::Sign,
    }
}
