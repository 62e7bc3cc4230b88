//! One file as a tree in which every key and value knows its place: for a reader that wants all of it, unknown keys
//! included, and tells types by itself.
//!
//! Scalars are told apart as `yaml.v3` does. Aliases are put in place and `<<` is merged: own keys win, then the
//! first of the merged ones. A repeated key is an error, and so is what is beyond the limits.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Options, Parser, ScalarStyle};

use crate::{FileId, ParseError, Span, Spanned};

/// The most nodes of one file, those behind aliases counted each time.
const MAX_NODES: usize = 200_000;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// What is there.
    pub kind: Kind,
    /// Where. A value behind an alias has the place of its definition.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One word, number or text.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the file; no key twice.
    Mapping(Vec<(Spanned<String>, Node)>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Scalar(Scalar::default())
    }
}

/// A scalar as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scalar {
    /// The text, without quotes.
    pub text: String,
    /// Whether it is in quotes, a block, or tagged as a string: then it is text whatever it looks like.
    pub is_text: bool,
}

/// What a scalar means where no type is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number: `10`, `0x1f`, `0o17`, `017`, `1_000`.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Everything else, `yes` and `no` included.
    Text(&'a str),
}

impl Scalar {
    /// What it means where no type is asked for.
    pub fn plain(&self) -> Plain<'_> {
        if self.is_text {
            return Plain::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
            "true" | "True" | "TRUE" => Plain::Bool(true),
            "false" | "False" | "FALSE" => Plain::Bool(false),
            text => integer(text)
                .map(Plain::Integer)
                .or_else(|| float(text).map(Plain::Float))
                .unwrap_or(Plain::Text(text)),
        }
    }

    /// What it means where a boolean is asked for: the words of YAML 1.1 count too.
    pub fn boolean(&self) -> Option<bool> {
        if self.is_text {
            return None;
        }
        match self.text.as_str() {
            "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
                Some(true)
            }
            "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off"
            | "OFF" => Some(false),
            _ => None,
        }
    }
}

impl Node {
    /// Whether it is `null`, which says as much as a key that is not there.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.plain() == Plain::Null)
    }

    /// What it is, for a message: `a list`.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar(scalar) => match scalar.plain() {
                Plain::Null => "nothing",
                Plain::Bool(_) => "a boolean",
                Plain::Integer(_) | Plain::Float(_) => "a number",
                Plain::Text(_) => "text",
            },
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits.as_str()),
    };
    // A sign here would be a second one.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -number } else { number }).ok()
}

fn float(text: &str) -> Option<f64> {
    match text.trim_start_matches(['+', '-']) {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-_".contains(&b));
    let has_digit = digits.bytes().any(|b| b.is_ascii_digit());
    (starts && plain && has_digit).then(|| text.replace('_', "").parse().ok()).flatten()
}

/// A file as a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The first document; null when the file holds nothing.
    pub root: Node,
    /// Where a second document begins: `yaml.v3` does not look at it.
    pub second: Option<Span>,
}

/// Reads a file as a tree; every span will carry `file`.
///
/// # Errors
/// [`ParseError`] for what is not YAML, a key that is repeated or is no scalar, and beyond the limits.
pub fn read_tree(text: &str, file: FileId) -> Result<Tree, ParseError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker();
            ParseError {
                line: number(at.line()),
                column: number(at.col() + 1),
                message: error.info().clone(),
            }
        })?;
        if !builder.take(event, place(span, file))? {
            break;
        }
    }
    Ok(Tree { root: builder.root, second: builder.second })
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn place(span: granit_parser::Span, file: FileId) -> Span {
    let (start, end) = (span.start.byte_offset().unwrap_or(0), span.end.byte_offset().unwrap_or(0));
    Span {
        file,
        start,
        end: end.max(start),
        line: number(span.start.line()),
        column: number(span.start.col() + 1),
    }
}

/// What is open, from the outside in.
enum Open {
    Sequence(usize, Span, Vec<Node>),
    Mapping(usize, Span, Pairs),
}

/// A mapping that is being read.
#[derive(Default)]
struct Pairs {
    key: Option<Spanned<String>>,
    is_merge: bool,
    entries: Vec<(Spanned<String>, Node)>,
    known: BTreeSet<String>,
    merged: Vec<Node>,
}

#[derive(Default)]
struct Builder {
    root: Node,
    second: Option<Span>,
    documents: usize,
    nodes: usize,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
}

impl Builder {
    /// Takes one event; false at the end of what is read.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<bool, ParseError> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.second = Some(span);
                    return Ok(false);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().and_then(|tag| tag.core_suffix().map(str::to_owned));
                let is_text = style != ScalarStyle::Plain || tag.as_deref() == Some("str");
                let scalar = Scalar { text: text.into_owned(), is_text };
                self.count(1, span)?;
                self.put(Node { kind: Kind::Scalar(scalar), span }, anchor, 1)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.deeper(span)?;
                self.open.push(Open::Sequence(anchor, span, Vec::new()));
            }
            Event::MappingStart(_, anchor, _) => {
                self.deeper(span)?;
                self.open.push(Open::Mapping(anchor, span, Pairs::default()));
            }
            Event::SequenceEnd => {
                if let Some(Open::Sequence(anchor, at, items)) = self.open.pop() {
                    let size = 1 + items.iter().map(size).sum::<usize>();
                    let span = Span { end: span.end, ..at };
                    self.put(Node { kind: Kind::Sequence(items), span }, anchor, size)?;
                }
            }
            Event::MappingEnd => {
                if let Some(Open::Mapping(anchor, at, entries)) = self.open.pop() {
                    let entries = entries.merge()?;
                    let size = 1 + entries.iter().map(|(_, node)| 1 + size(node)).sum::<usize>();
                    let span = Span { end: span.end, ..at };
                    self.put(Node { kind: Kind::Mapping(entries), span }, anchor, size)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(error(span, "an anchor must not hold an alias of itself"));
                };
                self.count(size, span)?;
                self.put(node, 0, size)?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), ParseError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(error(span, &format!("more than {MAX_NODES} values, aliases included")));
        }
        Ok(())
    }

    fn deeper(&mut self, span: Span) -> Result<(), ParseError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(error(span, &format!("more than {MAX_DEPTH} levels inside each other")));
        }
        self.count(1, span)
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), ParseError> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = node,
            Some(Open::Sequence(_, _, items)) => items.push(node),
            Some(Open::Mapping(_, _, entries)) => entries.put(node)?,
        }
        Ok(())
    }
}

impl Pairs {
    /// The entries with those of the merged mappings behind them.
    fn merge(mut self) -> Result<Vec<(Spanned<String>, Node)>, ParseError> {
        for source in std::mem::take(&mut self.merged) {
            let span = source.span;
            let Kind::Mapping(entries) = source.kind else {
                return Err(error(span, "`<<` takes a mapping, or a list of mappings"));
            };
            for (key, value) in entries {
                if self.known.insert(key.value.clone()) {
                    self.entries.push((key, value));
                }
            }
        }
        Ok(self.entries)
    }

    fn put(&mut self, node: Node) -> Result<(), ParseError> {
        if self.is_merge {
            self.is_merge = false;
            match node.kind {
                Kind::Sequence(sources) => self.merged.extend(sources),
                _ => self.merged.push(node),
            }
            return Ok(());
        }
        let Some(key) = self.key.take() else {
            let Kind::Scalar(scalar) = node.kind else {
                return Err(error(node.span, "a key must be one word, number or text"));
            };
            if scalar.text == "<<" && !scalar.is_text {
                self.is_merge = true;
                return Ok(());
            }
            if !self.known.insert(scalar.text.clone()) {
                return Err(error(node.span, &format!("the key `{}` is here twice", scalar.text)));
            }
            self.key = Some(Spanned { value: scalar.text, span: node.span });
            return Ok(());
        };
        self.entries.push((key, node));
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::Sequence(items) => items.iter().map(size).sum(),
        Kind::Mapping(entries) => entries.iter().map(|(_, node)| 1 + size(node)).sum(),
    }
}

fn error(span: Span, message: &str) -> ParseError {
    ParseError { line: span.line, column: span.column, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
