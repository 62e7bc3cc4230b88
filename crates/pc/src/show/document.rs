//! Keys and values in an order of their own, as YAML and as JSON.

use std::fmt::Write as _;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Document {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Document {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number stays one.
    pub(crate) fn number(number: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it has no fraction and is small enough"
        )]
        if number.fract() == 0.0 && number.abs() < 9e15 {
            Self::Int(number as i64)
        } else {
            Self::Float(number)
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            _ => false,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.json(&mut out, 0);
        out
    }

    fn json(&self, out: &mut String, depth: usize) {
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        };
        match self {
            Self::List(items) if !items.is_empty() => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    line(out, depth + 1);
                    item.json(out, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Map(entries) if !entries.is_empty() => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    line(out, depth + 1);
                    out.push_str(&quoted(key));
                    out.push_str(": ");
                    value.json(out, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
            other => out.push_str(&other.scalar(false)),
        }
    }

    pub(crate) fn to_yaml(&self) -> String {
        let mut out = String::new();
        self.yaml(&mut out, 0);
        if out.is_empty() { self.scalar(true) + "\n" } else { out }
    }

    /// The lines of a value that is not empty; a scalar has none.
    fn yaml(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        match self {
            Self::List(items) => {
                for item in items {
                    if item.is_nested() {
                        let mut inside = String::new();
                        item.yaml(&mut inside, depth + 1);
                        // The first line stands beside the dash.
                        let _infallible = write!(out, "{indent}- {}", &inside[indent.len() + 2..]);
                    } else {
                        let _infallible = writeln!(out, "{indent}- {}", item.scalar(true));
                    }
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    let key = plain_or_quoted(key);
                    if value.is_nested() {
                        let _infallible = writeln!(out, "{indent}{key}:");
                        value.yaml(out, depth + 1);
                    } else if let Some(text) = value.block() {
                        let _infallible = writeln!(
                            out,
                            "{indent}{key}: |{}",
                            if text.ends_with('\n') { "" } else { "-" }
                        );
                        for line in text.lines() {
                            let space = if line.is_empty() { "" } else { "  " };
                            let indent = if line.is_empty() { "" } else { indent.as_str() };
                            let _infallible = writeln!(out, "{indent}{space}{line}");
                        }
                    } else {
                        let _infallible = writeln!(out, "{indent}{key}: {}", value.scalar(true));
                    }
                }
            }
            _ => {}
        }
    }

    fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_)) && !self.is_empty()
    }

    /// Text of several lines that a block gives back as it is.
    fn block(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        let body = text.strip_suffix('\n').unwrap_or(text);
        let fits = body.contains('\n')
            && !body.ends_with('\n')
            && !text.starts_with([' ', '\n'])
            && text.chars().all(|c| c == '\n' || c == '\t' || (c >= ' ' && is_printable(c)));
        fits.then_some(text)
    }

    fn scalar(&self, is_yaml: bool) -> String {
        match self {
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) if is_yaml => plain_or_quoted(text),
            Self::Text(text) => quoted(text),
            Self::List(_) => "[]".to_owned(),
            Self::Map(_) => "{}".to_owned(),
        }
    }
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Plain text where no reader of YAML takes it for anything else, a JSON string otherwise.
fn plain_or_quoted(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-./ $()=+@%^~".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let lower = text.to_ascii_lowercase();
    let is_word_of_yaml = matches!(
        lower.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null" | "nan" | "inf"
    );
    if starts && text.chars().all(is_word) && !text.ends_with(' ') && !is_word_of_yaml {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A JSON string, which is a YAML string as well.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !is_printable(c) && u32::from(c) < 0x1_0000 => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json() {
        let text = Document::text;
        let document = Document::Map(vec![
            ("a".into(), text("no")),
            (
                "b c".into(),
                Document::List(vec![text("x: y"), Document::Int(5), Document::List(vec![])]),
            ),
            (
                "d".into(),
                Document::Map(vec![
                    ("e".into(), text("one\n  two\n")),
                    ("f".into(), Document::Float(0.5)),
                ]),
            ),
            (
                "g".into(),
                Document::List(vec![Document::Map(vec![
                    ("h".into(), text("1")),
                    ("i".into(), text("a\nb")),
                ])]),
            ),
        ]);
        let yaml = "a: \"no\"\nb c:\n  - \"x: y\"\n  - 5\n  - []\nd:\n  e: |\n    one\n      two\n  f: 0.5\ng:\n  - h: \"1\"\n    i: |-\n      a\n      b\n";
        assert_eq!(document.to_yaml(), yaml);
        let json: serde_json::Value = serde_json::from_str(&document.to_json()).unwrap();
        assert_eq!(json["d"]["e"], "one\n  two\n");
        assert_eq!(Document::Map(Vec::new()).to_yaml(), "{}\n");
    }
}
