//! Whether a tree says what it may say: every unknown key and every value of a wrong type, with its place.

use composefile::{Kind, Node, Plain, Scalar, Span};

use super::super::duration::go_duration;
use super::super::problem::{Level, Problem};
use super::{Object, Type};

/// Checks a value; what is null says nothing.
pub(crate) fn check(node: &Node, kind: &Type, path: &str, problems: &mut Vec<Problem>) {
    if node.is_null() {
        return;
    }
    match (kind, &node.kind) {
        (Type::Any, _) => {}
        (Type::Object(object), Kind::Mapping(_)) => check_object(node, object, path, problems),
        (Type::Map(inside), Kind::Mapping(entries)) => {
            for (key, value) in entries {
                check(value, inside, &join(path, &key.value), problems);
            }
        }
        (Type::List(inside) | Type::OnlyList(inside), Kind::Sequence(items)) => {
            for item in items {
                check(item, inside, path, problems);
            }
        }
        (Type::Names | Type::Environment, Kind::Sequence(items)) => {
            for item in items {
                check(item, &Type::Text, path, problems);
            }
        }
        (Type::Environment, Kind::Mapping(entries)) => {
            for (_, value) in entries {
                check(value, &Type::Text, path, problems);
            }
            problems.push(
                Problem::new(
                    Level::Hint,
                    "environment-map",
                    node.span,
                    format!("`{path}` is a mapping, which process-compose itself does not take"),
                )
                .with_hint("write a list of `NAME=value`"),
            );
        }
        (kind, Kind::Scalar(scalar)) => check_scalar(scalar, node.span, kind, path, problems),
        (kind, _) => problems.push(wrong(node, kind, path)),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn wrong(node: &Node, kind: &Type, path: &str) -> Problem {
    let message = format!("`{path}` is {} but must be {}", node.what(), expected(kind));
    Problem::new(Level::Error, "type", node.span, message)
}

/// What a type is called in a message.
fn expected(kind: &Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
        Type::Bool | Type::Tristate => "`true` or `false`".to_owned(),
        Type::Whole(least, most) | Type::SoftWhole(least, most) => {
            if *least == i64::MIN {
                "a whole number".to_owned()
            } else {
                format!("a whole number from {least} to {most}")
            }
        }
        Type::Seconds => "a number of seconds".to_owned(),
        Type::Duration => "a duration such as `300ms` or `1m30s`".to_owned(),
        Type::OneOf(words) => {
            let words: Vec<String> = words
                .iter()
                .filter(|word| !word.is_empty())
                .map(|word| format!("`{word}`"))
                .collect();
            words.join(", ")
        }
        Type::Names => "a name or a list of names".to_owned(),
        Type::List(_) | Type::OnlyList(_) => "a list".to_owned(),
        Type::Environment => "a list of `NAME=value`".to_owned(),
        Type::Map(_) | Type::Object(_) => "a mapping".to_owned(),
        Type::Any => "anything".to_owned(),
    }
}

fn check_scalar(scalar: &Scalar, span: Span, kind: &Type, path: &str, problems: &mut Vec<Problem>) {
    let mut refuse = |level| {
        let message = format!("`{path}` is `{}` but must be {}", scalar.text, expected(kind));
        problems.push(Problem::new(level, "value", span, message));
    };
    match kind {
        Type::Text | Type::Any | Type::Names => {}
        Type::Bool if scalar.boolean().is_some() => {}
        Type::Tristate => match scalar.text.as_str() {
            "" | "true" | "false" => {}
            _ if scalar.boolean().is_some() => {}
            _ => refuse(Level::Strict),
        },
        Type::Whole(least, most) => match whole(scalar) {
            Some(number) if (*least..=*most).contains(&number) => {}
            _ => refuse(Level::Error),
        },
        Type::SoftWhole(least, most) => match whole(scalar) {
            Some(number) if (*least..=*most).contains(&number) => {}
            Some(_) => refuse(Level::Strict),
            None => refuse(Level::Error),
        },
        Type::Seconds if seconds(scalar).is_some() => {}
        Type::Duration if go_duration(&scalar.text).is_ok() => {}
        Type::OneOf(words) if words.contains(&scalar.text.as_str()) || scalar.text.is_empty() => {}
        Type::OneOf(words) => {
            refuse(Level::Error);
            if let (Some(near), Some(last)) = (nearest(&scalar.text, words), problems.last_mut()) {
                last.hint = Some(format!("did you mean `{near}`?"));
            }
        }
        _ => refuse(Level::Error),
    }
}

/// A whole number; `2.0` is one.
pub(crate) fn whole(scalar: &Scalar) -> Option<i64> {
    match scalar.plain() {
        Plain::Integer(number) => Some(number),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it has no fraction and is small enough"
        )]
        Plain::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(number as i64),
        _ => None,
    }
}

/// Seconds; negative ones are taken, as upstream takes them for the least there is.
pub(crate) fn seconds(scalar: &Scalar) -> Option<f64> {
    match scalar.plain() {
        #[expect(clippy::cast_precision_loss, reason = "seconds that large mean for ever")]
        Plain::Integer(number) => Some(number as f64),
        Plain::Float(number) if number.is_finite() => Some(number),
        _ => None,
    }
}

fn check_object(node: &Node, object: &Object, path: &str, problems: &mut Vec<Problem>) {
    let Kind::Mapping(entries) = &node.kind else { return };
    for (key, value) in entries {
        let name = key.value.as_str();
        if let Some(known) = object.key(name) {
            check(value, &known.kind, &join(path, name), problems);
        } else if !name.starts_with("x-") {
            problems.push(unknown(name, key.span, object));
        }
    }
}

fn unknown(name: &str, span: Span, object: &Object) -> Problem {
    let message = format!("{} has no key `{name}`", object.what);
    let problem = Problem::new(Level::Strict, "unknown-key", span, message);
    let names: Vec<&str> = object.keys.iter().map(|key| key.name).collect();
    if let Some((block, _)) =
        elsewhere(object).into_iter().find(|(_, inner)| inner.key(name).is_some())
    {
        return problem.with_hint(format!("it belongs under `{block}:`"));
    }
    match nearest(name, &names) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint(format!("write `x-{name}` for a key of your own")),
    }
}

/// The blocks of an object, for a key that stands one level too high.
fn elsewhere(object: &Object) -> Vec<(&'static str, &'static Object)> {
    let block = |key: &'static super::Key| match &key.kind {
        Type::Object(inner) => Some((key.name, *inner)),
        _ => None,
    };
    object.keys.iter().filter_map(block).collect()
}

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let best = known.iter().min_by_key(|candidate| distance(candidate))?;
    let limit = (word.chars().count() / 3).clamp(1, 3);
    (!best.is_empty() && distance(best) <= limit).then_some(*best)
}
