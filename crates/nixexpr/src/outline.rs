//! The shape of a Nix text, for programs that look for a call and follow its arguments without evaluating anything.

use std::path::Path;

use rnix::{NodeOrToken, SyntaxKind as K, SyntaxNode};

use crate::error::EvalError;
use crate::parse;
use crate::source::{Source, Span};
use crate::strings::unescape;

/// The expressions of a text, each by its number; the whole is the first.
///
/// ```
/// use nixexpr::{Outline, Shape};
///
/// let outline = Outline::of("let h = \"x\"; in fetch { hash = h; }")?;
/// let (number, _) = outline.nodes().find(|(_, node)| matches!(node.shape, Shape::Set { .. })).unwrap();
/// let hash = outline.attribute(number, "hash").unwrap();
/// assert_eq!(outline.node(hash).shape, Shape::Name("h".to_owned()));
/// let bound = outline.lookup(hash, "h").unwrap();
/// assert_eq!(outline.node(bound).shape, Shape::Text { text: "x".to_owned(), whole: true });
/// assert_eq!(outline.node(bound).span.range(), 8..11);
/// # Ok::<(), nixexpr::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    nodes: Vec<Node>,
}

/// One expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes; of a string, with the quotes.
    pub span: Span,
    /// What it is.
    pub shape: Shape,
    /// The expression that it is a part of.
    pub parent: Option<usize>,
}

/// What an expression is; parts are named by their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A string. Not `whole` means that it has holes, `${…}`, which are left out of the text.
    Text {
        /// What it stands for.
        text: String,
        /// Whether that is all of it.
        whole: bool,
    },
    /// A path without holes, as it is written.
    Path(String),
    /// A name.
    Name(String),
    /// `from.path or default`.
    Select {
        /// The set.
        from: usize,
        /// The names; empty if one of them is computed.
        path: Vec<String>,
        /// What stands after `or`.
        default: Option<usize>,
    },
    /// A set.
    Set {
        /// Whether its names are seen inside.
        recursive: bool,
        /// Its bindings.
        entries: Vec<Entry>,
    },
    /// `let … in body`.
    Let {
        /// Its bindings.
        entries: Vec<Entry>,
        /// What they are for.
        body: usize,
    },
    /// A function.
    Function {
        /// The names of its arguments.
        names: Vec<String>,
        /// What it gives.
        body: usize,
    },
    /// `function argument`.
    Apply {
        /// The function.
        function: usize,
        /// The argument.
        argument: usize,
    },
    /// `left + right`.
    Sum {
        /// What stands before the sign.
        left: usize,
        /// What stands after it.
        right: usize,
    },
    /// Anything else, with its parts.
    Other(Vec<usize>),
}

/// A binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The names; empty if one of them is computed.
    pub path: Vec<String>,
    /// The value; none for a name that is inherited from the scope around.
    pub value: Option<usize>,
    /// The set that the name is inherited from.
    pub from: Option<usize>,
}

impl Outline {
    /// Takes a text apart.
    ///
    /// # Errors
    /// When it is not Nix, or is nested too deeply.
    pub fn of(text: &str) -> Result<Self, EvalError> {
        let source = Source::new(Path::new(""), text);
        parse::with_tree(&source, |root| {
            let mut outline = Self { nodes: Vec::new() };
            for child in root.children() {
                outline.add(&child, None);
            }
            Ok(outline)
        })
    }

    /// All expressions, the outer ones first.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate()
    }

    /// One expression.
    ///
    /// # Panics
    /// When the number is not one of this outline.
    pub fn node(&self, number: usize) -> &Node {
        &self.nodes[number]
    }

    /// The expressions that one is made of.
    pub fn parts(&self, number: usize) -> impl Iterator<Item = usize> {
        let parts = self.nodes().filter(move |(_, node)| node.parent == Some(number));
        parts.map(|(part, _)| part)
    }

    /// The value of a set's attribute, if it is bound to one there.
    pub fn attribute(&self, set: usize, name: &str) -> Option<usize> {
        self.entry(set, name)?.value
    }

    /// The entry of a set that binds or inherits a name.
    pub fn entry(&self, set: usize, name: &str) -> Option<&Entry> {
        let Shape::Set { entries, .. } = &self.nodes.get(set)?.shape else { return None };
        entries.iter().find(|entry| entry.path == [name])
    }

    /// What a name stands for where an expression uses it: the value of the nearest `let` or `rec` around that binds
    /// it. None for an argument of a function, for what `with` brings, and for what is inherited from a set.
    pub fn lookup(&self, user: usize, name: &str) -> Option<usize> {
        let entry = self.binding(user, name)?;
        if entry.path.len() == 1 { entry.value } else { None }
    }

    /// The entry of the nearest `let` or `rec` around that binds a name, `inherit (set) name` and `name.part = …` too.
    pub fn binding(&self, user: usize, name: &str) -> Option<&Entry> {
        let mut inside = user;
        // Each step goes outwards, so there are no more of them than expressions.
        while let Some(around) = self.nodes.get(inside)?.parent {
            match &self.nodes[around].shape {
                Shape::Let { entries, .. } | Shape::Set { recursive: true, entries } => {
                    let bound = entries
                        .iter()
                        .find(|entry| entry.path.first().is_some_and(|first| first == name));
                    match bound {
                        // `inherit name;` takes it from further out.
                        Some(Entry { value: None, from: None, .. }) | None => {}
                        Some(entry) => return Some(entry),
                    }
                }
                Shape::Function { names, body }
                    if *body == inside && names.iter().any(|own| own == name) =>
                {
                    return None;
                }
                _ => {}
            }
            inside = around;
        }
        None
    }

    fn add(&mut self, syntax: &SyntaxNode, parent: Option<usize>) -> usize {
        // Parentheses change nothing.
        if matches!(syntax.kind(), K::NODE_PAREN | K::NODE_ROOT)
            && let Some(inside) = syntax.children().next()
        {
            return self.add(&inside, parent);
        }
        let range = syntax.text_range();
        let span = Span { start: range.start().into(), end: range.end().into() };
        let number = self.nodes.len();
        self.nodes.push(Node { span, shape: Shape::Other(Vec::new()), parent });
        let shape = self.shape(syntax, number);
        self.nodes[number].shape = shape;
        number
    }

    fn shape(&mut self, syntax: &SyntaxNode, number: usize) -> Shape {
        let children: Vec<SyntaxNode> = syntax.children().collect();
        match (syntax.kind(), children.as_slice()) {
            (K::NODE_STRING, _) => self.string(syntax, number),
            (K::NODE_PATH_REL | K::NODE_PATH_ABS | K::NODE_PATH_HOME, []) => {
                Shape::Path(syntax.text().to_string())
            }
            (K::NODE_IDENT, _) => Shape::Name(syntax.text().to_string()),
            (K::NODE_SELECT, [from, path, default @ ..]) => Shape::Select {
                from: self.add(from, Some(number)),
                path: names(path),
                default: default.first().map(|default| self.add(default, Some(number))),
            },
            (K::NODE_ATTR_SET, entries) => Shape::Set {
                recursive: has_token(syntax, K::TOKEN_REC),
                entries: self.entries(entries, number),
            },
            (K::NODE_LET_IN, [entries @ .., body]) => Shape::Let {
                entries: self.entries(entries, number),
                body: self.add(body, Some(number)),
            },
            (K::NODE_LAMBDA, [head, body]) => {
                let mut names = Vec::new();
                for node in head.descendants() {
                    if node.kind() == K::NODE_IDENT
                        && node.parent().is_some_and(|above| {
                            matches!(
                                above.kind(),
                                K::NODE_PAT_ENTRY | K::NODE_PAT_BIND | K::NODE_IDENT_PARAM
                            )
                        })
                        && node.prev_sibling().is_none()
                    {
                        names.push(node.text().to_string());
                    }
                }
                Shape::Function { names, body: self.add(body, Some(number)) }
            }
            (K::NODE_APPLY, [function, argument]) => Shape::Apply {
                function: self.add(function, Some(number)),
                argument: self.add(argument, Some(number)),
            },
            (K::NODE_BIN_OP, [left, right]) if has_token(syntax, K::TOKEN_ADD) => Shape::Sum {
                left: self.add(left, Some(number)),
                right: self.add(right, Some(number)),
            },
            _ => Shape::Other(children.iter().map(|child| self.add(child, Some(number))).collect()),
        }
    }

    fn entries(&mut self, entries: &[SyntaxNode], number: usize) -> Vec<Entry> {
        let mut found = Vec::new();
        for entry in entries {
            let parts: Vec<SyntaxNode> = entry.children().collect();
            match (entry.kind(), parts.as_slice()) {
                (K::NODE_ATTRPATH_VALUE, [path, value]) => {
                    let value = Some(self.add(value, Some(number)));
                    found.push(Entry { path: names(path), value, from: None });
                }
                (K::NODE_INHERIT, parts) => {
                    let from = parts.iter().find(|part| part.kind() == K::NODE_INHERIT_FROM);
                    let from = from
                        .and_then(|from| from.children().next())
                        .map(|from| self.add(&from, Some(number)));
                    for name in parts.iter().filter(|part| part.kind() != K::NODE_INHERIT_FROM) {
                        let path = attribute(name).into_iter().collect();
                        found.push(Entry { path, value: None, from });
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn string(&mut self, syntax: &SyntaxNode, number: usize) -> Shape {
        let mut text = String::new();
        let mut whole = true;
        let mut quote = "\"";
        for child in syntax.children_with_tokens() {
            match child {
                NodeOrToken::Token(token) => match token.kind() {
                    K::TOKEN_STRING_START if token.text() == "''" => quote = "''",
                    K::TOKEN_STRING_START | K::TOKEN_STRING_END => {}
                    _ => text.push_str(token.text()),
                },
                NodeOrToken::Node(hole) => {
                    whole = false;
                    for inside in hole.children() {
                        self.add(&inside, Some(number));
                    }
                }
            }
        }
        // What `''` does to indentation and escapes changes no hash and no file name.
        let text = if quote == "\"" { unescape(&text) } else { text };
        Shape::Text { text, whole }
    }
}

/// The names of an attribute path; none if one is computed.
fn names(path: &SyntaxNode) -> Vec<String> {
    path.children().map(|name| attribute(&name)).collect::<Option<_>>().unwrap_or_default()
}

fn attribute(name: &SyntaxNode) -> Option<String> {
    match name.kind() {
        K::NODE_IDENT => Some(name.text().to_string()),
        K::NODE_STRING if name.children().next().is_none() => {
            let text = name.text().to_string();
            Some(unescape(text.trim_matches('"')))
        }
        _ => None,
    }
}

fn has_token(syntax: &SyntaxNode, kind: K) -> bool {
    let mut tokens = syntax.children_with_tokens().filter_map(NodeOrToken::into_token);
    tokens.any(|token| token.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the name `x` stands for at its last use.
    fn found(text: &str) -> Option<String> {
        let outline = Outline::of(text).unwrap();
        let is_x = |(_, node): &(usize, &Node)| node.shape == Shape::Name("x".to_owned());
        let (user, _) = outline.nodes().filter(is_x).last().unwrap();
        outline.lookup(user, "x").map(|value| text[outline.node(value).span.range()].to_owned())
    }

    #[test]
    fn names_are_looked_up_outwards() {
        for (text, value) in [
            ("let x = 1; in x", Some("1")),
            ("let x = 1; in let x = 2; in f x", Some("2")),
            ("let x = 1; in { x = 2; y = x; }", Some("1")),
            ("rec { x = 2; y = x; }", Some("2")),
            ("let x = 1; in { inherit x; y = (x); }", Some("1")),
            ("let x = 1; in let inherit x; in x", Some("1")),
            ("let x = 1; in x: x", None),
            ("let x = 1; in { x ? 2 }: x", None),
            ("let x = 1; in a@{ y, ... }: x", Some("1")),
            ("let inherit (a) x; in x", None),
            ("let x.y = 1; in x", None),
            ("with a; x", None),
        ] {
            assert_eq!(found(text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn holes_are_parts_of_their_string() {
        let outline = Outline::of("\"${src}/yarn.lock\"").unwrap();
        assert_eq!(
            outline.node(0).shape,
            Shape::Text { text: "/yarn.lock".to_owned(), whole: false }
        );
        let parts: Vec<usize> = outline.parts(0).collect();
        assert_eq!(outline.node(parts[0]).shape, Shape::Name("src".to_owned()));
    }
}
