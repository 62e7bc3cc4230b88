//! What a later file says over an earlier one.
//!
//! Scalars: the later one wins, unless it is empty, zero or false, which says nothing. Lists grow. Mappings are
//! merged key by key, and so is `environment`, by the names of its variables.

use composefile::{Kind, Node, Plain, Span};

use super::{Object, Type};

/// Merges `later` over `earlier`; `lost` is told the places of values that wanted to override and could not.
pub(crate) fn merge(earlier: &mut Node, later: Node, kind: &Type, lost: &mut Vec<(Span, Span)>) {
    if later.is_null() {
        return;
    }
    if earlier.is_null() {
        *earlier = later;
        return;
    }
    match kind {
        Type::Object(object) => merge_object(earlier, later, object, lost),
        Type::Map(inside) => merge_map(earlier, later, inside, lost),
        Type::List(_) => match (&mut earlier.kind, later.kind) {
            (Kind::Sequence(items), Kind::Sequence(more)) => items.extend(more),
            (_, kind) => *earlier = Node { kind, span: later.span },
        },
        Type::Environment => merge_environment(earlier, &later),
        Type::OnlyList(_) | Type::Names | Type::Any => {
            if !is_zero(&later) {
                *earlier = later;
            }
        }
        _ if is_zero(&later) => {
            if !is_zero(earlier) {
                lost.push((later.span, earlier.span));
            }
        }
        _ => *earlier = later,
    }
}

/// Whether Go would take it for nothing.
fn is_zero(node: &Node) -> bool {
    match &node.kind {
        Kind::Sequence(items) => items.is_empty(),
        Kind::Mapping(entries) => entries.is_empty(),
        Kind::Scalar(scalar) => match scalar.plain() {
            Plain::Null => true,
            Plain::Bool(truth) => !truth,
            Plain::Integer(number) => number == 0,
            Plain::Float(number) => number == 0.0,
            Plain::Text(text) => text.is_empty() || scalar.boolean() == Some(false),
        },
    }
}

fn merge_object(earlier: &mut Node, later: Node, object: &Object, lost: &mut Vec<(Span, Span)>) {
    let Kind::Mapping(entries) = later.kind else { return };
    for (key, value) in entries {
        let kind = object.key(&key.value).map_or(&Type::Any, |key| &key.kind);
        // `restart: no` is text, and `no` is what it is without it.
        match entry(earlier, &key.value) {
            Some(known) => merge(known, value, kind, lost),
            None => add(earlier, key, value),
        }
    }
}

fn merge_map(earlier: &mut Node, later: Node, inside: &Type, lost: &mut Vec<(Span, Span)>) {
    let Kind::Mapping(entries) = later.kind else { return };
    for (key, value) in entries {
        match entry(earlier, &key.value) {
            Some(known) if matches!(inside, Type::Any | Type::Text) => *known = value,
            Some(known) => merge(known, value, inside, lost),
            None => add(earlier, key, value),
        }
    }
}

fn entry<'a>(node: &'a mut Node, name: &str) -> Option<&'a mut Node> {
    let Kind::Mapping(entries) = &mut node.kind else { return None };
    entries.iter_mut().find(|(key, _)| key.value == name).map(|(_, value)| value)
}

fn add(node: &mut Node, key: composefile::Spanned<String>, value: Node) {
    if let Kind::Mapping(entries) = &mut node.kind {
        entries.push((key, value));
    }
}

/// The items of an environment as `NAME=value`, whichever way they are written.
pub(crate) fn variables(node: &Node) -> Vec<(String, Span)> {
    match &node.kind {
        Kind::Sequence(items) => items
            .iter()
            .filter_map(|item| match &item.kind {
                Kind::Scalar(scalar) => Some((scalar.text.clone(), item.span)),
                _ => None,
            })
            .collect(),
        Kind::Mapping(entries) => entries
            .iter()
            .filter_map(|(key, value)| match &value.kind {
                Kind::Scalar(scalar) if scalar.plain() == Plain::Null => {
                    Some((format!("{}=", key.value), value.span))
                }
                Kind::Scalar(scalar) => {
                    Some((format!("{}={}", key.value, scalar.text), value.span))
                }
                _ => None,
            })
            .collect(),
        Kind::Scalar(_) => Vec::new(),
    }
}

fn merge_environment(earlier: &mut Node, later: &Node) {
    let mut all = variables(earlier);
    let name = |item: &str| item.split('=').next().unwrap_or_default().to_owned();
    for (item, span) in variables(later) {
        match all.iter_mut().find(|(known, _)| name(known) == name(&item)) {
            Some(known) => *known = (item, span),
            None => all.push((item, span)),
        }
    }
    let node = |(text, span)| Node {
        kind: Kind::Scalar(composefile::Scalar { text, is_text: true }),
        span,
    };
    earlier.kind = Kind::Sequence(all.into_iter().map(node).collect());
}
