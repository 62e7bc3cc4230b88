//! One request, before it is sent.

use std::time::Duration;

use crate::{Bytes, Call, Cancel, Credential, Method, Source, Url};

/// A request: method, URL, headers, and a body that can be opened again.
#[derive(Clone)]
pub struct Request<'a> {
    pub(crate) call: Call,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) credential: Option<&'a Credential>,
    pub(crate) body: Option<&'a dyn Source>,
    pub(crate) cancel: Option<&'a Cancel>,
    pub(crate) watch: Option<&'a (dyn Fn(u64) + Sync)>,
    pub(crate) chunked: bool,
    pub(crate) within: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A request without headers and body; `POST`, `PUT` and `PATCH` then say that their body is empty.
    pub fn new(method: Method, url: Url) -> Self {
        let body: Option<&'a dyn Source> =
            matches!(method, Method::POST | Method::PUT | Method::PATCH).then_some(&Bytes(b""));
        let call = Call { method, url };
        let headers = Vec::new();
        Self {
            call,
            headers,
            credential: None,
            body,
            cancel: None,
            watch: None,
            chunked: false,
            within: None,
        }
    }

    /// What is asked.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends a credential along, to its own origin only.
    #[must_use]
    pub fn credential(mut self, credential: Option<&'a Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// Sends a body with its `Content-Length`; from 64 KiB on the server is asked first (`Expect: 100-continue`).
    #[must_use]
    pub fn body(mut self, body: &'a dyn Source) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends a body whose length nobody knows, in the chunks of HTTP; its `size` is not looked at.
    #[must_use]
    pub fn stream(mut self, body: &'a dyn Source) -> Self {
        (self.body, self.chunked) = (Some(body), true);
        self
    }

    /// Waits so long for the answer, and not as long as for others.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// Stops sending the body once `cancel` says so.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Calls `watch` with the number of bytes whenever some more of the body go out.
    #[must_use]
    pub fn watch(mut self, watch: &'a (dyn Fn(u64) + Sync)) -> Self {
        self.watch = Some(watch);
        self
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("call", &self.call).finish_non_exhaustive()
    }
}
