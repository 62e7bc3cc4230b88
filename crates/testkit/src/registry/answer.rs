//! What the registry says.

use std::io::{self, Write};

/// An answer before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, `Content-Length` excepted.
    pub headers: Vec<(String, String)>,
    /// The body; of an answer to `HEAD` only its length is sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An error as registries write it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let error = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self::new(status)
            .header("Content-Type", "application/json")
            .body(error.to_string().into_bytes())
    }

    /// A page of HTML, as something that is not a registry writes it.
    pub fn html(status: u16, title: &str) -> Self {
        let page = format!("<!DOCTYPE html><html><head><title>{title}</title></head></html>");
        Self::new(status).header("Content-Type", "text/html").body(page.into_bytes())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Puts a header in the place of the one with this name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Takes a header away.
    pub fn unset(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The header of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, value)| value.as_str())
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Puts the answer on the wire; without its body when it answers `HEAD`.
    pub(crate) fn write_to(&self, wire: &mut impl Write, head: bool) -> io::Result<()> {
        let mut out = Vec::new();
        write!(out, "HTTP/1.1 {} Said\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(out, "{name}: {value}\r\n")?;
        }
        if self.status != 204 && self.get("Content-Length").is_none() {
            write!(out, "Content-Length: {}\r\n", self.body.len())?;
        }
        out.extend_from_slice(b"\r\n");
        if !head {
            out.extend_from_slice(&self.body);
        }
        wire.write_all(&out)
    }
}
