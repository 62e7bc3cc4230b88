//! JSON as Go's encoder writes it, so that a config blob of ours is byte for byte what a Go tool makes of it.
//!
//! Compact; `<`, `>`, `&`, U+2028 and U+2029 are escaped (`encoding/json` does so for the sake of HTML).
//! Short escapes for backspace and form feed follow Go 1.22 and later.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Writes `value` as compact JSON with Go's escapes.
///
/// # Errors
/// Those of the value's own `Serialize`: a map whose keys are not strings, for one.
///
/// ```
/// assert_eq!(oci::to_go_json("a<b>&c")?, br#""a\u003cb\u003e\u0026c""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn to_go_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, GoFormatter))?;
    Ok(out)
}

/// Writes `value` as Go's `MarshalIndent` does with a tab: the same escapes, one value a line, nothing at the end.
///
/// # Errors
/// Those of the value's own `Serialize`: a map whose keys are not strings, for one.
///
/// ```
/// assert_eq!(oci::to_go_json_indented(&["<"])?, b"[\n\t\"\\u003c\"\n]");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn to_go_json_indented<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    let formatter = IndentedGoFormatter(PrettyFormatter::with_indent(b"\t"));
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    Ok(out)
}

#[derive(Debug, Clone, Copy)]
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }
}

fn write_fragment<W: Write + ?Sized>(writer: &mut W, fragment: &str) -> io::Result<()> {
    let mut rest = fragment;
    let is_escaped = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    while let Some(at) = rest.find(is_escaped) {
        writer.write_all(&rest.as_bytes()[..at])?;
        let mut tail = rest[at..].chars();
        if let Some(c) = tail.next() {
            write!(writer, "\\u{:04x}", u32::from(c))?;
        }
        rest = tail.as_str();
    }
    writer.write_all(rest.as_bytes())
}

struct IndentedGoFormatter(PrettyFormatter<'static>);

impl Formatter for IndentedGoFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn escapes_are_those_of_go() {
        let text = "<a&b> \u{2028}\u{2029} é \u{8}\u{c}\n\r\t\u{1}\u{7f} \"\\/";
        assert_eq!(
            String::from_utf8(to_go_json(text).unwrap()).unwrap(),
            "\"\\u003ca\\u0026b\\u003e \\u2028\\u2029 é \\b\\f\\n\\r\\t\\u0001\u{7f} \\\"\\\\/\""
        );
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        // Held by a test, because a crate elsewhere in the build could switch on `preserve_order`.
        let value = json!({"b": {"z": 1, "a": 2}, "a": []});
        assert_eq!(to_go_json(&value).unwrap(), br#"{"a":[],"b":{"a":2,"z":1}}"#);
    }
}
