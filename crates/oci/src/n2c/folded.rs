//! Keys in the case that the structs have: Go's decoder reads them in any.

use serde_json::{Map, Value};

const LAYER: [&str; 7] =
    ["digest", "size", "diff_ids", "paths", "mediatype", "layer-path", "History"];
const PATH: [&str; 2] = ["path", "options"];
const OPTIONS: [&str; 2] = ["rewrite", "perms"];
const REWRITE: [&str; 3] = ["path", "regex", "repl"];
const PERM: [&str; 7] = ["path", "regex", "mode", "uid", "gid", "uname", "gname"];
pub(super) const HISTORY: [&str; 5] = ["created", "created_by", "author", "comment", "empty_layer"];
const IMAGE: [&str; 5] = ["version", "image-config", "layers", "arch", "created"];
const NODE: [&str; 2] = ["path", "references"];

/// Only the known keys, as they are known; of two that differ in case the later one.
pub(super) fn object(value: Value, known: &[&str]) -> Value {
    let Value::Object(map) = value else { return value };
    let mut out = Map::new();
    for (key, value) in map {
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(&key));
        // Go leaves a field as it was where the document has null.
        if let Some(known) = found
            && !value.is_null()
        {
            out.insert((*known).to_owned(), value);
        }
    }
    Value::Object(out)
}

fn each(value: Value, fold: impl Fn(Value) -> Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.into_iter().map(fold).collect()),
        other => other,
    }
}

fn within(mut value: Value, key: &str, fold: impl Fn(Value) -> Value) -> Value {
    if let Some(inner) = value.get_mut(key) {
        *inner = fold(inner.take());
    }
    value
}

pub(super) fn history(value: Value) -> Value {
    object(value, &HISTORY)
}

pub(super) fn perms(value: Value) -> Value {
    each(value, |perm| object(perm, &PERM))
}

pub(super) fn rewrites(value: Value) -> Value {
    each(value, |rewrite| object(rewrite, &REWRITE))
}

pub(super) fn nodes(value: Value) -> Value {
    each(value, |node| object(node, &NODE))
}

pub(super) fn layers(value: Value) -> Value {
    let options = |value| {
        let value = within(object(value, &OPTIONS), "rewrite", |value| object(value, &REWRITE));
        within(value, "perms", perms)
    };
    let path = |value| within(object(value, &PATH), "options", options);
    let layer = |value| {
        let value = within(object(value, &LAYER), "paths", |value| each(value, path));
        within(value, "History", history)
    };
    each(value, layer)
}

pub(super) fn image(value: Value) -> Value {
    within(object(value, &IMAGE), "layers", layers)
}
