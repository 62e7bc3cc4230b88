//! Parsing within bounds: no text overflows the stack, and one that Nix reads otherwise is refused.

use rnix::{ParseError, Root, SyntaxKind as K, SyntaxNode};

use crate::error::EvalError;
use crate::lexer::{self, Stop};
use crate::source::Source;

/// Stack that one level of the tree may take in the parser and in what walks the tree. Unoptimised builds take most.
const STACK_PER_LEVEL: usize = 12 << 10;
/// Stack that every thread has.
const ANY_STACK: usize = 768 << 10;
/// The parser stops by itself when so many expressions are open.
const PARSER_LIMIT: usize = 512;

/// Parses `source` and hands the tree to `body`, with stack enough for walking it.
pub(crate) fn with_tree<T>(
    source: &Source,
    body: impl FnOnce(&SyntaxNode) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let refused = |at: usize, what: &str| EvalError::Refused {
        place: source.place(u32::try_from(at).unwrap_or(u32::MAX)),
        what: what.to_owned(),
    };
    let text = &*source.text;
    if let Some(at) = text.find('\0') {
        return Err(refused(at, "a NUL byte"));
    }
    let scan = lexer::scan(text).map_err(|stop| stopped(source, stop))?;
    if let Some(at) = scan.legacy_let {
        return Err(refused(at, "`let { … }`"));
    }
    let levels = scan.depth + scan.expressions.min(PARSER_LIMIT);
    let stack = (64 << 10) + levels * STACK_PER_LEVEL;
    let parse = || {
        let parsed = Root::parse(text);
        // Before the errors: one that follows from a wrong cut is not one of the text.
        if let Some(at) = lexer::disagreement(text, &scan) {
            return Err(refused(at, "text that Nix may split into other words"));
        }
        if let Some(error) = parsed.errors().first() {
            return Err(explain(source, error));
        }
        body(&parsed.syntax())
    };
    // Asking how much stack is left costs more than parsing a small file.
    if stack <= ANY_STACK { parse() } else { stacker::maybe_grow(stack, stack, parse) }
}

fn stopped(source: &Source, stop: Stop) -> EvalError {
    let place = |at: usize| source.place(u32::try_from(at).unwrap_or(u32::MAX));
    match stop {
        Stop::TooDeep(at) => {
            EvalError::Limit { place: place(at), what: "too deeply nested".to_owned() }
        }
        Stop::Unmatched { at, length, wanted } => {
            let found = source.text.get(at..at + length).unwrap_or("");
            let what = format!("unexpected `{found}`, expected {wanted}");
            EvalError::Syntax { place: place(at), what }
        }
    }
}

/// The parser's error in words, at its place.
fn explain(source: &Source, error: &ParseError) -> EvalError {
    let end = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
    let (at, what) = match error {
        ParseError::UnexpectedWanted(K::TOKEN_ERROR, range, wanted)
            if wanted.contains(&K::TOKEN_STRING_END) =>
        {
            (range.start().into(), "the string is not closed".to_owned())
        }
        ParseError::UnexpectedWanted(found, range, wanted) => (
            range.start().into(),
            format!("unexpected {}, expected {}", word(*found), list(wanted)),
        ),
        ParseError::UnexpectedEOFWanted(wanted) => {
            (end, format!("unexpected end of file, expected {}", list(wanted)))
        }
        ParseError::UnexpectedExtra(range) => {
            (range.start().into(), "this follows the end of the expression".to_owned())
        }
        ParseError::UnexpectedDoubleBind(range) => {
            (range.start().into(), "the argument is named twice".to_owned())
        }
        ParseError::DuplicatedArgs(range, name) => {
            (range.start().into(), format!("duplicate formal function argument `{name}`"))
        }
        ParseError::Unexpected(range) => (range.start().into(), "unexpected text".to_owned()),
        ParseError::RecursionLimitExceeded => {
            return EvalError::Limit {
                place: source.place(0),
                what: "too deeply nested".to_owned(),
            };
        }
        _ => (end, "unexpected end of file".to_owned()),
    };
    // The parser starts an error after the blanks before it or at them; the first word is what people look for.
    let rest = source.text.get(at as usize..).unwrap_or("");
    let blank = rest.len() - rest.trim_start().len();
    let at = at + u32::try_from(blank).unwrap_or(0);
    EvalError::Syntax { place: source.place(at), what }
}

fn list(kinds: &[K]) -> String {
    if kinds.contains(&K::TOKEN_L_PAREN) && kinds.contains(&K::TOKEN_REC) {
        return "an expression".to_owned();
    }
    let words: Vec<&str> = kinds.iter().map(|&kind| word(kind)).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn word(kind: K) -> &'static str {
    match kind {
        K::TOKEN_ASSIGN => "`=`",
        K::TOKEN_AT => "`@`",
        K::TOKEN_COLON => "`:`",
        K::TOKEN_COMMA => "`,`",
        K::TOKEN_DOT => "`.`",
        K::TOKEN_ELLIPSIS => "`...`",
        K::TOKEN_ELSE => "`else`",
        K::TOKEN_IDENT => "a name",
        K::TOKEN_IF => "`if`",
        K::TOKEN_IN => "`in`",
        K::TOKEN_INHERIT => "`inherit`",
        K::TOKEN_INTEGER | K::TOKEN_FLOAT => "a number",
        K::TOKEN_INTERPOL_START => "`${`",
        K::TOKEN_INTERPOL_END | K::TOKEN_R_BRACE => "`}`",
        K::TOKEN_L_BRACE => "`{`",
        K::TOKEN_L_BRACK => "`[`",
        K::TOKEN_L_PAREN => "`(`",
        K::TOKEN_LET => "`let`",
        K::TOKEN_OR => "`or`",
        K::TOKEN_R_BRACK => "`]`",
        K::TOKEN_R_PAREN => "`)`",
        K::TOKEN_REC => "`rec`",
        K::TOKEN_SEMICOLON => "`;`",
        K::TOKEN_STRING_START => "a string",
        K::TOKEN_STRING_END => "the end of the string",
        K::TOKEN_STRING_CONTENT => "text",
        K::TOKEN_THEN => "`then`",
        K::TOKEN_WITH => "`with`",
        K::TOKEN_QUESTION => "`?`",
        K::TOKEN_EQUAL => "`==`",
        K::TOKEN_PATH_ABS | K::TOKEN_PATH_HOME | K::TOKEN_PATH_REL | K::TOKEN_PATH_SEARCH => {
            "a path"
        }
        K::TOKEN_ADD
        | K::TOKEN_SUB
        | K::TOKEN_MUL
        | K::TOKEN_DIV
        | K::TOKEN_CONCAT
        | K::TOKEN_UPDATE
        | K::TOKEN_AND_AND
        | K::TOKEN_OR_OR
        | K::TOKEN_IMPLICATION
        | K::TOKEN_INVERT
        | K::TOKEN_LESS
        | K::TOKEN_LESS_OR_EQ
        | K::TOKEN_MORE
        | K::TOKEN_MORE_OR_EQ
        | K::TOKEN_NOT_EQUAL
        | K::TOKEN_PIPE_LEFT
        | K::TOKEN_PIPE_RIGHT => "an operator",
        K::TOKEN_ASSERT => "`assert`",
        K::TOKEN_CUR_POS => "`__curPos`",
        K::TOKEN_URI => "a URL",
        _ => "text that is not Nix",
    }
}
