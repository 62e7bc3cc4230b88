//! How a line looks in a log file: a JSON object, or plain text, as upstream writes them.

use jiff::Zoned;

use crate::config::model::LogConfiguration;

use super::{Line, Stream, layout};

/// Shown behind a part of a line that goes on.
const GOES_ON: &str = "\u{2026}";

/// How the lines of one process are written. What is the same for all its lines is made once.
#[derive(Debug)]
pub(crate) struct Style {
    stdout: Shape,
    stderr: Shape,
    timestamp: Option<String>,
    is_json: bool,
    order: Vec<Field>,
    color: bool,
}

/// What stands before the message, and behind it.
#[derive(Debug)]
struct Shape {
    head: Vec<u8>,
    tail: Vec<u8>,
    level: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Time,
    Level,
    Message,
}

impl Style {
    /// The style of a process.
    pub(crate) fn new(process: &str, replica: u32, configuration: &LogConfiguration) -> Self {
        let is_json = !configuration.disable_json;
        let color = !is_json && !configuration.no_color;
        let layout = match configuration.timestamp_format.as_str() {
            "" if is_json => "2006-01-02T15:04:05Z07:00",
            "" => "06-01-02 15:04:05.000",
            other => other,
        };
        let shape = |stream| {
            if is_json {
                json_shape(process, replica, stream, configuration.no_metadata)
            } else {
                plain_shape(process, replica, stream, configuration.no_metadata, color)
            }
        };
        Self {
            stdout: shape(Stream::Stdout),
            stderr: shape(Stream::Stderr),
            timestamp: configuration.add_timestamp.then(|| layout.to_owned()),
            is_json,
            order: order(&configuration.fields_order),
            color,
        }
    }

    /// Appends a line to `out`.
    pub(crate) fn append(&self, out: &mut Vec<u8>, line: Line<'_>, stream: Stream) {
        let shape = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        let time = self.timestamp.as_ref().map(|layout| layout::format(&Zoned::now(), layout));
        if self.is_json {
            out.extend_from_slice(&shape.head);
            if let Some(time) = time {
                out.extend_from_slice(b",\"time\":\"");
                append_json_text(out, time.as_bytes());
                out.push(b'"');
            }
            out.extend_from_slice(b",\"message\":\"");
            append_json_text(out, line.text);
            out.extend_from_slice(if line.goes_on { b"\",\"goes_on\":true}\n" } else { b"\"}\n" });
            return;
        }
        let mut is_first = true;
        for field in &self.order {
            if *field == Field::Time && time.is_none() {
                continue;
            }
            if !std::mem::replace(&mut is_first, false) {
                out.push(b' ');
            }
            match field {
                Field::Time => {
                    let time = time.as_deref().unwrap_or_default();
                    paint(out, time, "90", self.color);
                }
                Field::Level => {
                    let color = if stream == Stream::Stdout { "32" } else { "31" };
                    paint(out, shape.level, color, self.color);
                }
                Field::Message => {
                    out.extend_from_slice(line.text);
                    if line.goes_on {
                        out.extend_from_slice(GOES_ON.as_bytes());
                    }
                }
            }
        }
        out.extend_from_slice(&shape.tail);
        out.push(b'\n');
    }
}

fn paint(out: &mut Vec<u8>, text: &str, code: &str, color: bool) {
    if color {
        out.extend_from_slice(format!("\x1b[{code}m{text}\x1b[0m").as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// The named fields first, then those that were not named; an unknown name is passed over.
fn order(named: &[String]) -> Vec<Field> {
    let field = |name: &String| match name.as_str() {
        "time" => Some(Field::Time),
        "level" => Some(Field::Level),
        "message" => Some(Field::Message),
        _ => None,
    };
    let order: Vec<Field> = named.iter().filter_map(field).collect();
    if order.contains(&Field::Message) {
        order
    } else {
        vec![Field::Time, Field::Level, Field::Message]
    }
}

fn json_shape(process: &str, replica: u32, stream: Stream, bare: bool) -> Shape {
    let level = if stream == Stream::Stdout { "info" } else { "error" };
    let mut head = format!("{{\"level\":\"{level}\"").into_bytes();
    if !bare {
        head.extend_from_slice(b",\"process\":\"");
        append_json_text(&mut head, process.as_bytes());
        head.extend_from_slice(format!("\",\"replica\":{replica}").as_bytes());
    }
    Shape { head, tail: Vec::new(), level }
}

fn plain_shape(process: &str, replica: u32, stream: Stream, bare: bool, color: bool) -> Shape {
    let level = if stream == Stream::Stdout { "INF" } else { "ERR" };
    let mut tail = Vec::new();
    if !bare {
        for (name, value) in [("process", process), ("replica", &replica.to_string())] {
            tail.push(b' ');
            paint(&mut tail, &format!("{name}="), "36", color);
            tail.extend_from_slice(value.as_bytes());
        }
    }
    Shape { head: Vec::new(), tail, level }
}

/// Appends the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn append_json_text(out: &mut Vec<u8>, text: &[u8]) {
    // Without an early way out, which lets the compiler look at many bytes at a time.
    let special = text.iter().fold(0_u8, |sum, &byte| {
        let is_special = !(b' '..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
        sum | u8::from(is_special)
    });
    if special == 0 {
        out.extend_from_slice(text);
        return;
    }
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            append_character(out, character);
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn append_character(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\0'..='\u{1f}' | '\u{7f}' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(configuration: &LogConfiguration, text: &[u8], stream: Stream) -> String {
        let mut out = Vec::new();
        let style = Style::new("q-0", 0, configuration);
        style.append(&mut out, Line { text, goes_on: false }, stream);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_lines() {
        let default = LogConfiguration::default();
        assert_eq!(
            written(&default, b"r0", Stream::Stdout),
            "{\"level\":\"info\",\"process\":\"q-0\",\"replica\":0,\"message\":\"r0\"}\n"
        );
        assert_eq!(
            written(&default, b"\"a\\\x1b[1m\xff\t", Stream::Stderr),
            "{\"level\":\"error\",\"process\":\"q-0\",\"replica\":0,\
             \"message\":\"\\\"a\\\\\\u001b[1m\\ufffd\\t\"}\n"
        );
    }

    #[test]
    fn every_json_line_is_json() {
        let default = LogConfiguration::default();
        for byte in 0..=255_u8 {
            let line = written(&default, &[b'a', byte, b'b'], Stream::Stdout);
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            let expected = String::from_utf8_lossy(&[b'a', byte, b'b']).into_owned();
            assert_eq!(value["message"], expected);
        }
    }

    #[test]
    fn plain_lines() {
        let plain = LogConfiguration { disable_json: true, no_color: true, ..Default::default() };
        assert_eq!(written(&plain, b"r0", Stream::Stdout), "INF r0 process=q-0 replica=0\n");
        let bare = LogConfiguration { no_metadata: true, ..plain };
        assert_eq!(written(&bare, b"r0", Stream::Stderr), "ERR r0\n");
    }
}
