//! JSON out, byte for byte as Nix writes it.

use std::fmt::Write as _;

use crate::error::EvalError;
use crate::machine::Machine;
use crate::value::{Origin, Slot, Value};

impl Machine {
    /// A value and everything in it as JSON without blanks.
    pub(crate) fn json(&mut self, slot: Slot, at: Origin) -> Result<String, EvalError> {
        let mut out = String::new();
        self.write(slot, at, &mut out)?;
        Ok(out)
    }

    fn write(&mut self, slot: Slot, at: Origin, out: &mut String) -> Result<(), EvalError> {
        self.calling(at, |machine| {
            let before = out.len();
            let (value, origin) = machine.force(slot, at)?;
            match value {
                Value::Null => out.push_str("null"),
                Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
                Value::Int(number) => write!(out, "{number}").unwrap_or_default(),
                Value::Float(number) => match float(number) {
                    Some(text) => out.push_str(&text),
                    None => return Err(machine.refuse(origin, format!("the float {number}"))),
                },
                Value::Str(text) => quote(&text, out),
                Value::List(items) => {
                    out.push('[');
                    for (index, &item) in items.iter().enumerate() {
                        if index > 0 {
                            out.push(',');
                        }
                        machine.write(item, at, out)?;
                    }
                    out.push(']');
                }
                Value::Set(attrs) => {
                    for name in ["__toString", "outPath"] {
                        if machine.has(&attrs, name) {
                            return Err(machine.refuse(origin, format!("a set with `{name}`")));
                        }
                    }
                    let attrs = machine.all(&attrs, origin)?;
                    out.push('{');
                    for (index, attr) in machine.by_name(&attrs).into_iter().enumerate() {
                        if index > 0 {
                            out.push(',');
                        }
                        quote(machine.symbols.name(attr.name), out);
                        out.push(':');
                        machine.write(attr.slot, at, out)?;
                    }
                    out.push('}');
                }
                Value::Path(_) => return Err(machine.refuse(origin, "a path")),
                Value::Lambda { .. } | Value::Builtin(_) | Value::Partial(..) => {
                    return Err(machine.fail(origin, "cannot convert a function to JSON"));
                }
            }
            let grown = out.len() - before;
            machine.charge(grown, at)
        })
    }
}

/// A string in quotes, as Nix's library and most others escape it.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A float whose shortest form is exact, so that no algorithm for the digits can differ; none for others.
fn float(number: f64) -> Option<String> {
    const DIGITS: usize = 15;
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return None;
    }
    let text = format!("{number:?}");
    let exact = format!("{number:.60}");
    let exact = exact.trim_end_matches('0');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (text.trim_end_matches('0') == exact && digits <= DIGITS + 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_exact_or_none() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.5, "0.5"),
            (-12.375, "-12.375"),
            (123_456_789.0, "123456789.0"),
        ] {
            assert_eq!(float(number).as_deref(), Some(text));
        }
        for number in [0.1, 1e15, 1e-5, 1.0 / 3.0, 1_234_567_890_123.062_5] {
            assert_eq!(float(number), None);
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut out = String::new();
        quote("a\"\\\u{1}\n\u{7f}\u{e9}", &mut out);
        assert_eq!(out, "\"a\\\"\\\\\\u0001\\n\u{7f}\u{e9}\"");
    }
}
