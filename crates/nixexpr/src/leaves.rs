//! The literals of a Nix text and where they stand, for programs that look for numbers and words in source without
//! evaluating it.

use std::path::Path;

use rnix::{NodeOrToken, SyntaxKind as K, SyntaxNode};

use crate::error::EvalError;
use crate::parse;
use crate::source::{Source, Span};

/// What stands for each byte of a hole, `${…}`, in the text of a string.
pub const HOLE: u8 = 0x1a;

/// A literal and its surroundings.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// What it is.
    pub value: Literal<'a>,
    /// Its bytes: of a string, what is between the quotes.
    pub span: Span,
    /// The attributes it is inside of, from the outermost of the file; `${…}` for a computed name. The default of an
    /// argument, and that of a selection (`a.port or 80`), are inside what they stand in for.
    pub path: &'a [String],
    /// The functions it is handed to, the outermost first, between it and the last name of the path.
    pub calls: &'a [Call],
    /// Whether it is an element of a list, between it and the last name of the path.
    pub in_list: bool,
    /// Whether it is part of a computation: an operand, a condition.
    pub in_operation: bool,
    /// The string before it in its list.
    pub previous: Option<&'a str>,
}

/// What a literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal<'a> {
    /// A whole number.
    Int(i64),
    /// The text of a string as it is written, escapes unread, with every byte of a hole replaced by [`HOLE`].
    Text(&'a str),
    /// The same of a name in quotes.
    Name(&'a str),
}

/// A function that is called by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function as it is written: `lib.mkDefault`; empty if it is not a name.
    pub function: String,
    /// Which argument, from 0.
    pub argument: usize,
}

/// Shows `see` every literal of a Nix text, in the order of the text.
///
/// ```
/// use nixexpr::{Literal, leaves};
///
/// let mut seen = Vec::new();
/// leaves("{ web.port = lib.mkDefault 80; }", |leaf| {
///     seen.push((leaf.path.join("."), leaf.calls[0].function.clone(), leaf.span.start));
/// })?;
/// assert_eq!(seen, [("web.port".to_owned(), "lib.mkDefault".to_owned(), 27)]);
/// # Ok::<(), nixexpr::EvalError>(())
/// ```
///
/// # Errors
/// When the text is not Nix, or is nested too deeply.
pub fn leaves(text: &str, mut see: impl FnMut(&Leaf<'_>)) -> Result<(), EvalError> {
    let source = Source::new(Path::new(""), text);
    parse::with_tree(&source, |root| {
        let mut walk = Walk { see: &mut see, path: Vec::new(), calls: Vec::new() };
        walk.inside(root, &Around::default());
        Ok(())
    })
}

struct Walk<'s> {
    see: &'s mut dyn FnMut(&Leaf<'_>),
    path: Vec<String>,
    calls: Vec<Call>,
}

/// What is known of the place of an expression, besides the path and the calls.
#[derive(Debug, Clone, Copy, Default)]
struct Around<'a> {
    in_list: bool,
    in_operation: bool,
    previous: Option<&'a str>,
}

impl Around<'_> {
    fn operation(self) -> Self {
        Self { in_operation: true, ..self }
    }
}

impl Walk<'_> {
    fn inside(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        for child in node.children() {
            self.expression(&child, around);
        }
    }

    fn expression(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        match node.kind() {
            K::NODE_LITERAL => self.literal(node, around),
            K::NODE_STRING => {
                let (text, span) = masked(node);
                self.see(Literal::Text(&text), span, around);
                self.inside(node, around);
            }
            K::NODE_ATTRPATH_VALUE => self.binding(node),
            K::NODE_PAT_ENTRY => self.formal(node),
            K::NODE_LIST => self.list(node, around),
            K::NODE_APPLY => self.call(node, around),
            K::NODE_SELECT => self.selection(node, around),
            K::NODE_BIN_OP if joins(node) => self.inside(node, around),
            K::NODE_BIN_OP | K::NODE_UNARY_OP | K::NODE_HAS_ATTR => {
                self.inside(node, &around.operation());
            }
            // The condition is the first expression; what follows is what the whole may be.
            K::NODE_IF_ELSE | K::NODE_ASSERT | K::NODE_WITH => {
                for (index, child) in node.children().enumerate() {
                    let around = if index == 0 { around.operation() } else { *around };
                    self.expression(&child, &around);
                }
            }
            _ => self.inside(node, around),
        }
    }

    fn see(&mut self, value: Literal<'_>, span: Span, around: &Around<'_>) {
        let Around { in_list, in_operation, previous } = *around;
        let (path, calls) = (&*self.path, &*self.calls);
        (self.see)(&Leaf { value, span, path, calls, in_list, in_operation, previous });
    }

    fn literal(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        let Some(token) = node.first_token() else { return };
        let span = span_of(node);
        match token.kind() {
            K::TOKEN_INTEGER => {
                if let Ok(number) = token.text().parse() {
                    self.see(Literal::Int(number), span, around);
                }
            }
            K::TOKEN_URI => self.see(Literal::Text(token.text()), span, around),
            _ => {}
        }
    }

    /// `a."b".${c} = value`
    fn binding(&mut self, node: &SyntaxNode) {
        let depth = self.path.len();
        let calls = std::mem::take(&mut self.calls);
        let mut children = node.children();
        if let Some(path) = children.next() {
            self.names(&path);
        }
        for value in children {
            self.expression(&value, &Around::default());
        }
        self.path.truncate(depth);
        self.calls = calls;
    }

    /// Goes into the names of an attribute path.
    fn names(&mut self, path: &SyntaxNode) {
        for name in path.children() {
            let text = match name.kind() {
                K::NODE_STRING => {
                    let (text, span) = masked(&name);
                    self.see(Literal::Name(&text), span, &Around::default());
                    text
                }
                K::NODE_DYNAMIC => "${…}".to_owned(),
                _ => name.text().to_string(),
            };
            self.path.push(text);
        }
    }

    /// `name ? default`
    fn formal(&mut self, node: &SyntaxNode) {
        let depth = self.path.len();
        let calls = std::mem::take(&mut self.calls);
        let mut children = node.children();
        if let Some(name) = children.next() {
            self.path.push(name.text().to_string());
        }
        for default in children {
            self.expression(&default, &Around::default());
        }
        self.path.truncate(depth);
        self.calls = calls;
    }

    fn list(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        let mut previous: Option<String> = None;
        for item in node.children() {
            let inside = Around { in_list: true, previous: previous.as_deref(), ..*around };
            self.expression(&item, &inside);
            previous = (item.kind() == K::NODE_STRING).then(|| masked(&item).0);
        }
    }

    /// `function first second`, which the tree nests to the left.
    fn call(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        let mut arguments = Vec::new();
        let mut function = node.clone();
        while function.kind() == K::NODE_APPLY {
            let mut children = function.children();
            let (Some(callee), Some(argument)) = (children.next(), children.next()) else { break };
            arguments.push(argument);
            function = callee;
        }
        let is_name = matches!(function.kind(), K::NODE_IDENT | K::NODE_SELECT);
        let name = if is_name { function.text().to_string() } else { String::new() };
        self.expression(&function, around);
        for (index, argument) in arguments.iter().rev().enumerate() {
            self.calls.push(Call { function: name.clone(), argument: index });
            self.expression(argument, around);
            self.calls.pop();
        }
    }

    /// `set.names or default`
    fn selection(&mut self, node: &SyntaxNode, around: &Around<'_>) {
        let depth = self.path.len();
        for (index, child) in node.children().enumerate() {
            match (index, child.kind()) {
                (_, K::NODE_ATTRPATH) => self.names(&child),
                (0, _) => self.expression(&child, &around.operation()),
                _ => self.expression(&child, around),
            }
        }
        self.path.truncate(depth);
    }
}

/// Whether an operator makes one list or one set of two.
fn joins(node: &SyntaxNode) -> bool {
    let mut tokens = node.children_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.any(|token| matches!(token.kind(), K::TOKEN_CONCAT | K::TOKEN_UPDATE))
}

fn span_of(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    Span { start: range.start().into(), end: range.end().into() }
}

/// The text between the quotes of a string, and where it is.
fn masked(node: &SyntaxNode) -> (String, Span) {
    let mut text = String::new();
    let mut start = None;
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Token(token) => match token.kind() {
                K::TOKEN_STRING_START => start = Some(u32::from(token.text_range().end())),
                K::TOKEN_STRING_END => {}
                _ => text.push_str(token.text()),
            },
            NodeOrToken::Node(hole) => {
                let length = hole.text_range().len().into();
                text.extend(std::iter::repeat_n(char::from(HOLE), length));
            }
        }
    }
    let start = start.unwrap_or_else(|| span_of(node).start) as usize;
    let span = Span::of(start, start + text.len());
    (text, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `path | calls | flags | literal @ offset`, for each literal.
    fn seen(text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        leaves(text, |leaf| {
            let calls: Vec<String> = leaf
                .calls
                .iter()
                .map(|call| format!("{}#{}", call.function, call.argument))
                .collect();
            let value = match leaf.value {
                Literal::Int(number) => number.to_string(),
                Literal::Text(text) => format!("{text:?}"),
                Literal::Name(text) => format!("name {text:?}"),
            };
            if !matches!(leaf.value, Literal::Int(_)) {
                assert_eq!(leaf.span.range().len(), text[leaf.span.range()].len());
            }
            let list = if leaf.in_list { " list" } else { "" };
            let operation = if leaf.in_operation { " op" } else { "" };
            let previous = leaf.previous.map_or(String::new(), |text| format!(" after {text:?}"));
            let path = leaf.path.join(".");
            let calls = calls.join(" ");
            seen.push(format!(
                "{path}|{calls}|{value}{list}{operation}{previous}@{}",
                leaf.span.start
            ));
        })
        .unwrap();
        seen
    }

    #[test]
    fn places_in_the_tree() {
        assert_eq!(
            seen("{ lib, port ? 80 }: { a.b = [ 1 { c = 2; } ] ++ [ (f x 3) ]; }"),
            ["port||80@14", "a.b||1 list@30", "a.b.c||2@38", "a.b|f#1|3 list@55"]
        );
        assert_eq!(
            seen("let x = if y == 1 then 2 else -3; in x.port or 4"),
            ["x||1 op@16", "x||2@23", "x||3 op@31", "port||4@47"]
        );
        assert_eq!(
            seen("{ p = lib.mkIf (a > 5) (lib.mkDefault 6); }"),
            ["p|lib.mkIf#0|5 op@20", "p|lib.mkIf#1 lib.mkDefault#0|6@38"]
        );
        assert_eq!(
            seen("{ q = (x: x) 1; r = map (p: { s = p + 7; }) [ 8 ]; }"),
            ["q|#0|1@13", "r.s||7 op@38", "r|map#1|8 list@46"]
        );
    }

    #[test]
    fn strings_with_holes_and_names_in_quotes() {
        assert_eq!(
            seen(r#"{ a."8080/tcp" = "x${toString 5}y\n"; }"#),
            [
                "a||name \"8080/tcp\"@5",
                "a.8080/tcp||\"x\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}\\u{1a}y\\\\n\"@18",
                "a.8080/tcp|toString#0|5@30",
            ]
        );
        assert_eq!(
            seen("{ a = [ \"--port\" \"80\" ]; b = ''\n  c ''${D:-1}\n''; }"),
            [
                "a||\"--port\" list@9",
                "a||\"80\" list after \"--port\"@18",
                "b||\"\\n  c ''${D:-1}\\n\"@31",
            ]
        );
    }

    #[test]
    fn what_is_no_nix_is_an_error() {
        for text in ["a = 1;", "{", "{ a = ; }", "}", "\0"] {
            assert!(leaves(text, |_| {}).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(leaves(&deep, |_| {}).is_err());
        let mut count = 0;
        let text = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        leaves(&text, |_| count += 1).unwrap();
        assert_eq!(count, 1);
        // A chain of applications is as deep in the tree as it is long.
        leaves(&format!("f {}", "1 ".repeat(300)), |_| count += 1).unwrap();
        assert_eq!(count, 301);
    }
}
