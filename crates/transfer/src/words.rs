//! What a server says about an error: the few shapes of such bodies, read with a limit.
//!
//! Registries answer `{"errors":[{"code":…,"message":…,"detail":…}]}` (distribution-spec), token services
//! `{"error":…,"error_description":…}`, others `{"message":…}` or text; what stands between answers a page of HTML.

use std::fmt;

use serde_json::Value;

/// More of an error is never read.
pub(crate) const MAX_BODY: u64 = 64 << 10;
/// More of an error is never shown.
const MAX_SHOWN: usize = 400;

/// What a server said about an error, for people, and its codes, for programs. Control characters are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    codes: Vec<String>,
    html: bool,
}

impl Words {
    /// Reads the body of an answer.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            return Self::from_json(&value);
        }
        let start = text.get(..512.min(text.len())).unwrap_or(text).to_ascii_lowercase();
        let html = content_type.is_some_and(|kind| kind.starts_with("text/html"))
            || start.starts_with("<!doctype html")
            || start.contains("<html");
        let words = match (html, title(text)) {
            (true, Some(title)) => format!("a page of HTML, `{title}`"),
            (true, None) => "a page of HTML".to_owned(),
            (false, _) => text.lines().next().unwrap_or_default().to_owned(),
        };
        Self { text: shown(&words), codes: Vec::new(), html }
    }

    fn from_json(value: &Value) -> Self {
        let Some(list) = value.get("errors").and_then(Value::as_array) else {
            let found = ["error_description", "message", "details", "error"]
                .iter()
                .find_map(|key| value.get(key).and_then(Value::as_str));
            return Self { text: shown(found.unwrap_or_default()), ..Self::default() };
        };
        let mut codes = Vec::new();
        let mut parts = Vec::new();
        for error in list.iter().take(8) {
            let field = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
            if !field("code").is_empty() {
                codes.push(field("code").to_owned());
            }
            let detail = error.get("detail").map(detail).unwrap_or_default();
            let known = [field("code").to_owned(), field("message").to_owned(), detail];
            let said: Vec<_> = known.into_iter().filter(|part| !part.is_empty()).collect();
            parts.push(said.join(": "));
        }
        Self { text: shown(&parts.join("; ")), codes, html: false }
    }

    /// Whether an error of this code is among them, such as `MANIFEST_UNKNOWN`.
    pub fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known == code)
    }

    /// Whether it was a page of HTML: not a registry's answer.
    pub fn is_html(&self) -> bool {
        self.html
    }

    /// The text; empty when nothing was said.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Words {
    /// `: ` and the text, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

/// A detail may be a string or any JSON; empty ones say nothing.
fn detail(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => other.to_string(),
    }
}

fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    let title = html[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

/// At most so many characters, none of which moves the cursor or turns the text around, and no login that the server
/// echoes.
fn shown(text: &str) -> String {
    let text = without_logins(text.trim());
    let turns = |c: char| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean = |c: char| if c.is_control() || turns(c) { ' ' } else { c };
    let mut out: String = text.chars().map(clean).take(MAX_SHOWN).collect();
    if text.chars().count() > MAX_SHOWN {
        out.push('…');
    }
    out
}

/// Puts `***` in the place of what follows `Basic` or `Bearer`, as in an `Authorization` header.
fn without_logins(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    loop {
        let lower = rest.to_ascii_lowercase();
        let places =
            ["basic ", "bearer "].iter().filter_map(|word| Some((lower.find(word)?, word.len())));
        let Some((at, length)) = places.min() else { return out + rest };
        let (before, after) = rest.split_at(at + length);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
        let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
        out += before;
        // Words of a sentence are shorter than any login in base64.
        out += if end >= 12 { "***" } else { &after[..end] };
        rest = &after[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(body: &str) -> String {
        Words::read(None, body.as_bytes()).to_string()
    }

    #[test]
    fn a_registry_is_quoted() {
        let body = r#"{"errors":[{"code":"DENIED","message":"requested access","detail":{}},
            {"code":"UNKNOWN","detail":[{"Class":"repository"}]}]}"#;
        let said = Words::read(Some("application/json"), body.as_bytes());
        assert_eq!(said.as_str(), r#"DENIED: requested access; UNKNOWN: [{"Class":"repository"}]"#);
        assert!(said.has_code("UNKNOWN") && !said.has_code("MANIFEST_UNKNOWN"));
    }

    #[test]
    fn other_shapes_are_found() {
        assert_eq!(words(r#"{"error":"invalid_scope","error_description":"no"}"#), ": no");
        assert_eq!(words(r#"{"message":"slow down"}"#), ": slow down");
        assert_eq!(words(r#"{"details":"incorrect username"}"#), ": incorrect username");
        assert_eq!(words("[]"), "");
        assert_eq!(words("null"), "");
        assert_eq!(words(""), "");
        assert_eq!(words("too much\nsecond line"), ": too much");
    }

    #[test]
    fn html_is_said_to_be_html() {
        let page = "<html>\n<head><TITLE>502\n Bad Gateway</TITLE></head></html>";
        assert_eq!(words(page), ": a page of HTML, `502 Bad Gateway`");
        assert_eq!(words("<!DOCTYPE html><p>hi"), ": a page of HTML");
        assert!(Words::read(Some("text/html; charset=utf-8"), b"hello").is_html());
    }

    #[test]
    fn nothing_reaches_the_terminal_unharmed() {
        assert_eq!(words("a\u{1b}[31mred\u{7}"), ": a [31mred ");
        assert_eq!(words(&"x".repeat(5000)).chars().count(), 2 + 400 + 1);
        assert_eq!(words("a\u{202e}b"), ": a b");
        assert_eq!(
            words("got Authorization: Basic dTpzM2NyM3Q9; no"),
            ": got Authorization: Basic ***; no"
        );
        assert_eq!(words("a basic check"), ": a basic check");
        let _never_panics = Words::read(None, &[0xff; 600]);
        assert!(Words::read(None, "é".repeat(300).as_bytes()).as_str().starts_with('é'));
    }
}
