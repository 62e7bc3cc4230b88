//! An answer: status, headers, and a body that is read with a limit.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Body;

use crate::words::MAX_BODY;
use crate::{Call, CallError, HeaderMap, StatusCode, Url, Words, patience};

/// An answer to a [`Request`](crate::Request), whatever its status.
#[derive(Debug)]
pub struct Response {
    pub(crate) call: Call,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) whole: bool,
}

impl Response {
    /// The request that was answered; after redirects, the last one.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The URL that answered: what a relative `Location` is resolved against.
    pub fn url(&self) -> &Url {
        &self.call.url
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the request's body had gone out when the answer came; a yes to a part of it is none.
    pub fn is_to_the_whole(&self) -> bool {
        self.whole
    }

    /// Whether the same request may be answered otherwise a moment later.
    pub fn is_transient(&self) -> bool {
        patience::is_transient(self.status)
    }

    /// How long the server asks to be left alone (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        patience::retry_after(&self.headers)
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where its `Location` leads, resolved against the URL that answered; none without the header.
    ///
    /// # Errors
    /// When it names no URL that can be asked.
    pub fn location(&self) -> Result<Option<Url>, CallError> {
        let Some(location) = self.headers.get("location") else { return Ok(None) };
        let text = String::from_utf8_lossy(location.as_bytes());
        let target = self.url().resolve(&text).map_err(|source| CallError::Location {
            call: self.call.clone(),
            status: self.status,
            location: text.split('?').next().unwrap_or_default().escape_debug().to_string(),
            source,
        })?;
        Ok(Some(target))
    }

    /// Reads the whole body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// When it is larger or breaks off.
    pub fn read(mut self, limit: u64) -> Result<Vec<u8>, CallError> {
        let mut bytes = Vec::new();
        let read = self.body.as_reader().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        match read {
            Err(source) => Err(CallError::Answer { call: self.call, status: self.status, source }),
            Ok(_) if bytes.len() as u64 > limit => {
                Err(CallError::TooLarge { call: self.call, status: self.status, limit })
            }
            Ok(_) => Ok(bytes),
        }
    }

    /// The body as a stream, for what is too large for memory. Check it: see [`Verified`](crate::Verified).
    pub fn reader(self) -> impl Read {
        self.body.into_reader()
    }

    /// Reads what is left of a body that nobody wants, so that the connection can be used again.
    pub fn finish(mut self) {
        let _gone_anyway = io::copy(&mut self.body.as_reader().take(MAX_BODY), &mut io::sink());
    }

    /// Reads what the server says about an error, at most 64 KiB of it.
    pub fn words(&mut self) -> Words {
        let mut bytes = Vec::new();
        // What arrived before the connection broke is still worth showing.
        let _broken = self.body.as_reader().take(MAX_BODY).read_to_end(&mut bytes);
        Words::read(self.header("content-type"), &bytes)
    }

    /// The error that this answer is, with the server's words.
    pub fn into_error(mut self) -> CallError {
        let words = self.words();
        let retry_after = self.retry_after();
        CallError::Status { call: self.call, status: self.status, words, retry_after }
    }
}
