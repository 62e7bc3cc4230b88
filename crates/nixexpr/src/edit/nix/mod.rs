//! Entries of Nix sets.

use std::path::Path;

use rnix::{SyntaxKind as K, SyntaxNode};

use super::text::{
    BLANK, blanks_before, deeper, indent, is_first_on_line, is_last_on_line, line_end, newline,
    with_line_break,
};
use super::{NewEntry, NoPlace, Splice};
use crate::error::EvalError;
use crate::lower::plain_string;
use crate::parse::with_tree;
use crate::source::{Source, Span};

/// How a set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Between braces: `{ … }`.
    Braces,
    /// By names with dots of the set around it: `a.b = 1;`.
    Dotted,
    /// It is computed.
    Nowhere,
}

/// How the set is written that evaluation found at `span`; see [`crate::Evaluator::written`].
///
/// # Errors
/// When the text is not Nix.
pub fn home(file: &Path, text: &str, span: Span) -> Result<Home, EvalError> {
    with_tree(&Source::new(file, text), |root| {
        Ok(match node_at(root, span).map(|node| node.kind()) {
            Some(K::NODE_ATTR_SET) => Home::Braces,
            Some(K::NODE_ATTRPATH_VALUE) => Home::Dotted,
            _ => Home::Nowhere,
        })
    })
}

/// Puts an entry into the set between braces at `set`: behind the entry whose names start as its own do, else behind the
/// last one.
///
/// # Errors
/// When the text is not Nix, or there is no set.
pub fn insert(
    file: &Path,
    text: &str,
    set: Span,
    new: NewEntry<'_>,
) -> Result<Result<Splice, NoPlace>, EvalError> {
    with_tree(&Source::new(file, text), |root| {
        let Some(node) = node_at(root, set).filter(|node| node.kind() == K::NODE_ATTR_SET) else {
            return Ok(Err(NoPlace::new(set.range().start, "no set is written here")));
        };
        Ok(Ok(insert_into(text, &node, new)))
    })
}

/// Takes out the binding that evaluation found at `binding`; see [`crate::Evaluator::binding`].
///
/// # Errors
/// When the text is not Nix, or there is no binding.
pub fn remove(
    file: &Path,
    text: &str,
    binding: Span,
) -> Result<Result<Splice, NoPlace>, EvalError> {
    with_tree(&Source::new(file, text), |root| {
        let nowhere = || NoPlace::new(binding.range().start, "no entry is written here");
        let Some(node) = node_at(root, binding) else { return Ok(Err(nowhere())) };
        let inherit = node.parent().filter(|parent| parent.kind() == K::NODE_INHERIT);
        Ok(match (node.kind(), inherit) {
            (K::NODE_ATTRPATH_VALUE, _) => Ok(remove_entry(text, &node)),
            (_, Some(inherit)) => {
                let names = inherit.children().filter(|c| c.kind() != K::NODE_INHERIT_FROM);
                if names.count() == 1 {
                    Ok(remove_entry(text, &inherit))
                } else {
                    let start = start_of(&node);
                    let before = text.get(..start).unwrap_or("").trim_end().len();
                    Ok(Splice::remove(before..end_of(&node)))
                }
            }
            _ => Err(nowhere()),
        })
    })
}

fn start_of(node: &SyntaxNode) -> usize {
    node.text_range().start().into()
}

fn end_of(node: &SyntaxNode) -> usize {
    node.text_range().end().into()
}

/// The node with exactly this span: a set, a binding, or a name of an `inherit`.
fn node_at(root: &SyntaxNode, span: Span) -> Option<SyntaxNode> {
    let range = span.range();
    if range.end > end_of(root) || range.start >= range.end {
        return None;
    }
    let mut node = root.clone();
    loop {
        let is_it = start_of(&node) == range.start
            && end_of(&node) == range.end
            && (matches!(node.kind(), K::NODE_ATTR_SET | K::NODE_ATTRPATH_VALUE)
                || node.parent().is_some_and(|parent| parent.kind() == K::NODE_INHERIT));
        if is_it {
            return Some(node);
        }
        node = node
            .children()
            .find(|child| start_of(child) <= range.start && range.end <= end_of(child))?;
    }
}

fn entries(set: &SyntaxNode) -> Vec<SyntaxNode> {
    let is_entry =
        |child: &SyntaxNode| matches!(child.kind(), K::NODE_ATTRPATH_VALUE | K::NODE_INHERIT);
    set.children().filter(is_entry).collect()
}

/// The names of a binding, up to the first computed one.
fn names_of(entry: &SyntaxNode) -> Vec<String> {
    let path = entry.children().find(|child| child.kind() == K::NODE_ATTRPATH);
    let names = path.into_iter().flat_map(|path| path.children().collect::<Vec<_>>());
    names
        .map_while(|name| match name.kind() {
            K::NODE_IDENT => Some(name.text().to_string()),
            K::NODE_STRING => plain_string(&name),
            _ => None,
        })
        .collect()
}

fn insert_into(text: &str, set: &SyntaxNode, new: NewEntry<'_>) -> Splice {
    let entries = entries(set);
    let shared = |entry: &SyntaxNode| {
        let names = names_of(entry);
        names.iter().zip(new.names).take_while(|(a, b)| a == b).count()
    };
    let Some(last) = entries.last() else { return insert_first(text, set, new) };
    // The entry with the most names in common, and of these the last one.
    let mut anchor = entries.iter().rev().max_by_key(|entry| shared(entry)).unwrap_or(last);
    if shared(anchor) == 0 {
        anchor = last;
    }
    let mut end = behind(text, end_of(anchor));
    if !is_last_on_line(text, end) && (new.comment.is_some() || shared(anchor) == 0) {
        // A comment inside a line goes before its brace, where it is nobody else's.
        anchor = last;
        end = behind(text, end_of(anchor));
    }
    let own_line = is_last_on_line(text, end);
    let start = start_of(anchor);
    let ends_line = own_line || rest_of_line(text, end).starts_with('}');
    let separator = if is_first_on_line(text, start) && ends_line {
        format!("{}{}", newline(text), indent(text, start))
    } else if own_line {
        let close = end_of(set).saturating_sub(1);
        let is_sibling = entries.iter().any(|entry| {
            is_first_on_line(text, start_of(entry)) && same_line(text, start_of(entry), start)
        });
        let indent = if is_sibling {
            indent(text, start).to_owned()
        } else {
            deeper(text, indent(text, close))
        };
        format!("{}{indent}", newline(text))
    } else {
        match blanks_before(text, start) {
            before if before.is_empty() || is_first_on_line(text, start) => " ".to_owned(),
            before => before.to_owned(),
        }
    };
    Splice::insert(end, format!("{separator}{}", entry(new, own_line)))
}

/// What is behind `at` on its line, without the blanks before it.
fn rest_of_line(text: &str, at: usize) -> &str {
    text.get(at..line_end(text, at)).unwrap_or("").trim_start_matches(BLANK)
}

fn same_line(text: &str, a: usize, b: usize) -> bool {
    !text.get(a.min(b)..a.max(b)).unwrap_or("").contains('\n')
}

/// The first entry of a set: behind the comments in it.
fn insert_first(text: &str, set: &SyntaxNode, new: NewEntry<'_>) -> Splice {
    let open = set
        .children_with_tokens()
        .find(|child| child.kind() == K::TOKEN_L_BRACE)
        .map_or_else(|| start_of(set), |brace| usize::from(brace.text_range().end()));
    let close = end_of(set).saturating_sub(1);
    let inside = text.get(open..close).unwrap_or("").trim_end();
    let at = open + inside.len();
    if !same_line(text, at, close) {
        // What ends on a line of its own is a comment.
        let indent = if inside.contains('\n') {
            indent(text, at).to_owned()
        } else {
            deeper(text, indent(text, close))
        };
        return Splice::insert(at, format!("{}{indent}{}", newline(text), entry(new, true)));
    }
    Splice::insert(at, format!(" {}", entry(new, false)))
}

/// `a.b = 1; # words`, or with the words between `/*` and `*/` where the line goes on.
fn entry(new: NewEntry<'_>, own_line: bool) -> String {
    let names: Vec<String> = new.names.iter().map(|name| key(name)).collect();
    let comment = match new.comment {
        None => String::new(),
        Some(words) if own_line => format!(" # {words}"),
        // The words cannot end the comment.
        Some(words) => format!(" /* {} */", words.replace("*/", "* /")),
    };
    format!("{} = {};{comment}", names.join("."), new.number)
}

/// A name as Nix reads it: in quotes, unless it is an identifier.
fn key(name: &str) -> String {
    const KEYWORDS: [&str; 10] =
        ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or"];
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-'".contains(c))
        && !KEYWORDS.contains(&name);
    if plain {
        return name.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Where the comments end that are behind `end` on its line, or the line itself if nothing else is on it.
fn behind(text: &str, end: usize) -> usize {
    let line = text.get(end..line_end(text, end)).unwrap_or("");
    let mut at = 0;
    loop {
        let rest = line.get(at..).unwrap_or("");
        let words = rest.trim_start_matches(BLANK);
        if words.is_empty() || words.starts_with('#') {
            return end + line.len();
        }
        match words.strip_prefix("/*").and_then(|body| body.find("*/")) {
            Some(close) => at += rest.len() - words.len() + close + 4,
            None => break,
        }
    }
    // A comment in front of another entry is that one's.
    let rest = line.get(at..).unwrap_or("").trim_start_matches(BLANK);
    if at > 0 && rest.starts_with('}') { end + at } else { end }
}

fn remove_entry(text: &str, node: &SyntaxNode) -> Splice {
    let (start, end) = (start_of(node), behind(text, end_of(node)));
    let rest = rest_of_line(text, end);
    let ends_line = rest.is_empty() || rest.starts_with('}');
    if is_first_on_line(text, start) {
        if !ends_line {
            // Others stay on the line: what is between goes.
            let next = text.get(end..).unwrap_or("");
            let blanks = next.len() - next.trim_start_matches(BLANK).len();
            return Splice::remove(start..end + blanks);
        }
        if rest.is_empty() || !follows_line_comment(node) {
            return Splice::remove(with_line_break(text, start, end));
        }
        // The brace may not get into the comment above.
        return Splice::remove(start..end);
    }
    Splice::remove(start - blanks_before(text, start).len()..end)
}

/// Whether a comment that ends with its line is what stands before a node.
fn follows_line_comment(node: &SyntaxNode) -> bool {
    let before = node.first_token().and_then(|token| token.prev_token());
    let comment = before.and_then(|blank| match blank.kind() {
        K::TOKEN_WHITESPACE => blank.prev_token(),
        _ => Some(blank),
    });
    comment.is_some_and(|token| token.kind() == K::TOKEN_COMMENT && token.text().starts_with('#'))
}

#[cfg(test)]
mod tests;
