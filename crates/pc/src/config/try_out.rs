//! The readers of strings alone, on values that are made up.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::expand::{PortError, Values, expand as expand_with};
use super::template::{Value, render as render_with};

struct MadeUp;

impl Values for MadeUp {
    fn variable(&self, name: &str) -> Option<String> {
        (name.len() < 3).then(|| name.repeat(3))
    }

    fn port(&self, path: &str, has_default: bool) -> Result<Option<u16>, PortError> {
        match u16::try_from(path.len()) {
            Ok(number) if number % 2 == 1 => Ok(Some(number)),
            _ if has_default => Ok(None),
            _ => Err(PortError { what: "no such port".to_owned(), hint: None }),
        }
    }
}

pub(crate) fn expand(text: &str) -> Option<(String, Vec<usize>)> {
    let expanded = expand_with(text, &MadeUp).ok()?;
    let places = (0..=expanded.text.len()).map(|at| expanded.original(at)).collect();
    Some((expanded.text, places))
}

pub(crate) fn render(text: &str) -> Option<String> {
    let list = Value::List(vec![Value::text("a"), Value::Int(2), Value::Nil].into());
    let inner = BTreeMap::from([("a".to_owned(), list.clone())]);
    let data = BTreeMap::from([
        ("L".to_owned(), list),
        ("M".to_owned(), Value::Map(Rc::new(inner))),
        ("N".to_owned(), Value::Int(-5)),
        ("F".to_owned(), Value::Float(1.5)),
        ("T".to_owned(), Value::Bool(true)),
    ]);
    render_with(text, &Value::Map(Rc::new(data))).ok().map(|done| done.text)
}

pub(crate) fn dotenv(text: &str) -> Option<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    super::dotenv::read(text, &mut known).ok()?;
    Some(known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "([ -~\\n\u{e9}]|\\$\\{|\\{\\{|\\}\\}|:-|printf \"%9v\" ){0,60}") {
            if let Some((expanded, places)) = expand(&text) {
                prop_assert!(places.iter().all(|&at| at <= text.len()), "{}", expanded);
            }
            drop(render(&text));
            drop(dotenv(&text));
        }

        #[test]
        fn text_without_dollars_and_braces_stays(text in "[a-zA-Z0-9 .:/\\-\n\u{e9}#]{0,80}") {
            let (expanded, places) = expand(&text).unwrap();
            prop_assert_eq!(&expanded, &text);
            prop_assert!(places.iter().enumerate().all(|(at, &place)| at == place));
            prop_assert_eq!(render(&text).unwrap(), text);
        }

        #[test]
        fn a_quoted_value_comes_back(value in "[ -~&&[^'\\\\\"$]]{0,40}") {
            let known = dotenv(&format!("export A='{value}' # c\nB=\"{value}\"\n")).unwrap();
            prop_assert_eq!((&known["A"], &known["B"]), (&value, &value));
        }
    }
}
