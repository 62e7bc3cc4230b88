//! The functions of `text/template`.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::Value;
use super::format::{Shown, print};

/// Whether a value counts as true: not nothing, not zero, not empty.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

/// What a value is, for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let one = || match arguments {
        [one] => Ok(one),
        _ => Err(format!("`{name}` takes one value")),
    };
    Ok(match name {
        "not" => Value::Bool(!is_true(one()?)),
        "len" => Value::Int(length(one()?)?),
        "print" => Value::text(&joined(arguments)),
        "println" => Value::text(&(all(arguments) + "\n")),
        "html" => Value::text(&html(&joined(arguments))),
        "js" => Value::text(&js(&joined(arguments))),
        "urlquery" => Value::text(&query(&joined(arguments))),
        "index" => index(arguments)?,
        "slice" => slice(arguments)?,
        "eq" => equal(arguments)?,
        "ne" => match arguments {
            [a, b] => Value::Bool(!same(a, b)?),
            _ => return Err("`ne` takes two values".to_owned()),
        },
        "lt" | "le" | "gt" | "ge" => match arguments {
            [a, b] => compare(name, a, b)?,
            _ => return Err(format!("`{name}` takes two values")),
        },
        "call" => return Err("there is nothing that `call` could call".to_owned()),
        _ => return Err(format!("`{name}` needs values")),
    })
}

/// As `fmt.Sprint`: a space between two values of which neither is text.
fn joined(arguments: &[Value]) -> String {
    let mut text = String::new();
    for (at, value) in arguments.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if at > 0 && !is_text(value) && !is_text(&arguments[at - 1]) {
            text.push(' ');
        }
        text.push_str(&print(value, Shown::Inside));
    }
    text
}

fn all(arguments: &[Value]) -> String {
    let words: Vec<String> = arguments.iter().map(|value| print(value, Shown::Inside)).collect();
    words.join(" ")
}

fn length(value: &Value) -> Result<i64, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("`len` of {}", kind(other))),
    };
    Ok(i64::try_from(length).unwrap_or(i64::MAX))
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let Some((first, keys)) = arguments.split_first() else {
        return Err("`index` takes a value first".to_owned());
    };
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Map(map), Value::Text(key)) => map.get(&**key).cloned().unwrap_or_default(),
            (Value::List(items), Value::Int(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| items.get(at).cloned())
                .ok_or_else(|| format!("`index` {at} of a list of {}", items.len()))?,
            (Value::Text(text), Value::Int(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| text.as_bytes().get(at))
                .map(|byte| Value::Int(i64::from(*byte)))
                .ok_or_else(|| format!("`index` {at} of a text of {} bytes", text.len()))?,
            (value, key) => return Err(format!("`index` of {} by {}", kind(value), kind(key))),
        };
    }
    Ok(value)
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let wrong = || "`slice` takes a list or text, and up to three numbers".to_owned();
    let Some((value, ends)) = arguments.split_first() else { return Err(wrong()) };
    let size = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        _ => return Err(wrong()),
    };
    let mut numbers = Vec::new();
    for end in ends {
        let Value::Int(number) = end else { return Err(wrong()) };
        let number = usize::try_from(*number).ok().filter(|number| *number <= size);
        numbers.push(number.ok_or_else(|| format!("`slice` goes beyond {size}"))?);
    }
    let (from, to) = match numbers.as_slice() {
        [] => (0, size),
        [from] => (*from, size),
        [from, to] | [from, to, _] => (*from, *to),
        _ => return Err(wrong()),
    };
    if from > to {
        return Err("`slice` ends before it begins".to_owned());
    }
    match value {
        Value::Text(text) => {
            text.get(from..to).map(Value::text).ok_or_else(|| "`slice` cuts a character".to_owned())
        }
        Value::List(items) => Ok(Value::List(items[from..to].into())),
        _ => Err(wrong()),
    }
}

fn equal(arguments: &[Value]) -> Result<Value, String> {
    let Some((first, rest)) = arguments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err("`eq` takes two values or more".to_owned());
    };
    for other in rest {
        if same(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn same(a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Nil, _) | (_, Value::Nil) => false,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b) == Ordering::Equal,
        (Value::Text(a), Value::Text(b)) => a == b,
        _ => return Err(format!("{} and {} cannot be compared", kind(a), kind(b))),
    })
}

fn compare(name: &str, a: &Value, b: &Value) -> Result<Value, String> {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => return Err(format!("{} and {} have no order", kind(a), kind(b))),
    };
    Ok(Value::Bool(order.is_some_and(|order| match name {
        "lt" => order.is_lt(),
        "le" => order.is_le(),
        "gt" => order.is_gt(),
        _ => order.is_ge(),
    })))
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _infallible = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if c < ' ' => {
                let _infallible = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => {
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
