//! What can go wrong with a request, each with its method, its URL and what the server said.

use std::time::Duration;
use std::{fmt, io};

use ureq::Timeout;

use crate::{Method, RootsError, StatusCode, Url, UrlError, Words, patience};

/// The request that an error is about: `PUT https://registry.example/v2/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The URL; printed without its query.
    pub url: Url,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// Why a request did not do what it was sent for.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The URL is plain http and not on this machine.
    #[error("{call}: plain http is spoken only to this machine")]
    PlainHttp {
        /// The request that was not sent.
        call: Call,
    },
    /// There is nothing to check certificates with.
    #[error("{call}")]
    Roots {
        /// The request that was not sent.
        call: Call,
        /// What is missing.
        source: RootsError,
    },
    /// No answer came.
    #[error("{call}: no answer")]
    NoAnswer {
        /// The request.
        call: Call,
        /// What came instead.
        source: Trouble,
    },
    /// The connection ended while the body was sent. The server may have said why: that answer is lost.
    #[error("{call}: the connection ended after {sent} of {size} bytes of the body")]
    BodyCut {
        /// The request.
        call: Call,
        /// How much had been handed to the connection.
        sent: u64,
        /// The size of the body.
        size: u64,
        /// What the connection said.
        source: Trouble,
    },
    /// The source of the body failed.
    #[error("{call}: cannot read the body to send")]
    Source {
        /// The request.
        call: Call,
        /// What the source said.
        source: io::Error,
    },
    /// The answer's body broke off.
    #[error("{call}: {status}, but the answer broke off")]
    Answer {
        /// The request.
        call: Call,
        /// The status of the answer.
        status: StatusCode,
        /// What the connection said.
        source: io::Error,
    },
    /// The answer's body is larger than it can be.
    #[error("{call}: {status} with more than {limit} bytes")]
    TooLarge {
        /// The request.
        call: Call,
        /// The status of the answer.
        status: StatusCode,
        /// The limit.
        limit: u64,
    },
    /// The answer sends us elsewhere, to no URL that can be asked.
    #[error("{call}: {status} with the location `{location}`")]
    Location {
        /// The request.
        call: Call,
        /// The status of the answer.
        status: StatusCode,
        /// The `Location`, without its query.
        location: String,
        /// What is wrong with it.
        source: UrlError,
    },
    /// A redirect that is not followed.
    #[error("{call}: {status}, a redirect {why}")]
    Redirect {
        /// The request.
        call: Call,
        /// The status of the answer.
        status: StatusCode,
        /// Why it is not followed.
        why: &'static str,
    },
    /// The server said no.
    #[error("{call}: {status}{words}")]
    Status {
        /// The request.
        call: Call,
        /// The status of the answer.
        status: StatusCode,
        /// What the server said about it.
        words: Words,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Another part of the same work failed, so this one stopped.
    #[error("{call}: stopped")]
    Cancelled {
        /// The request.
        call: Call,
    },
}

impl CallError {
    /// The status, when the server answered with one that was not wanted.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The request that it is about.
    pub fn call(&self) -> &Call {
        match self {
            Self::PlainHttp { call }
            | Self::Roots { call, .. }
            | Self::NoAnswer { call, .. }
            | Self::BodyCut { call, .. }
            | Self::Source { call, .. }
            | Self::Answer { call, .. }
            | Self::TooLarge { call, .. }
            | Self::Location { call, .. }
            | Self::Redirect { call, .. }
            | Self::Status { call, .. }
            | Self::Cancelled { call } => call,
        }
    }

    /// Whether the same request may go well a moment later: the connection broke, a wait ended, or the status says so.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer { source, .. } => source.is_transient(),
            Self::BodyCut { .. } | Self::Answer { .. } => true,
            Self::Status { status, .. } => patience::is_transient(*status),
            Self::PlainHttp { .. }
            | Self::Roots { .. }
            | Self::Source { .. }
            | Self::TooLarge { .. }
            | Self::Location { .. }
            | Self::Redirect { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What happened instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The name does not resolve.
    #[error("the host `{0}` is not known")]
    UnknownHost(String),
    /// A wait came to its end.
    #[error("timed out {0}")]
    TimedOut(&'static str),
    /// The server is not who it should be, or speaks no TLS.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The answer is not HTTP.
    #[error("the answer is not HTTP: {0}")]
    Protocol(String),
    /// The proxy did not lead on.
    #[error("the proxy does not connect: {0}")]
    Proxy(String),
    /// The connection failed.
    #[error(transparent)]
    Io(io::Error),
}

impl Trouble {
    pub(crate) fn new(error: ureq::Error, host: &str) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::UnknownHost(host.to_owned()),
            ureq::Error::Timeout(timeout) => Self::TimedOut(phase(timeout)),
            ureq::Error::Io(error) if is_lookup(&error) => Self::UnknownHost(host.to_owned()),
            ureq::Error::Io(error) => match tls_words(&error) {
                Some(words) => Self::Tls(words),
                None => Self::Io(error),
            },
            ureq::Error::Rustls(error) => Self::Tls(error.to_string()),
            ureq::Error::Tls(words) => Self::Tls(words.to_owned()),
            ureq::Error::ConnectProxyFailed(words) => Self::Proxy(words),
            ureq::Error::Protocol(error) => Self::Protocol(error.to_string()),
            other => Self::Protocol(other.to_string()),
        }
    }

    /// Whether it may go by. A host that refuses connections may be starting; one that has no name will not get one.
    fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Protocol(_) | Self::Io(_) => true,
            Self::UnknownHost(_) | Self::Tls(_) | Self::Proxy(_) => false,
        }
    }

    /// Whether the other side closed the connection.
    pub(crate) fn is_cut(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(self, Self::Io(error) if matches!(
            error.kind(), BrokenPipe | ConnectionReset | ConnectionAborted | UnexpectedEof))
    }
}

/// The resolver's errors have no kind of their own in std, only these words.
fn is_lookup(error: &io::Error) -> bool {
    error.to_string().starts_with("failed to lookup address information")
}

/// TLS errors arrive inside I/O errors, in the words of their `Debug`.
fn tls_words(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    let words = inner.to_string();
    (error.kind() == io::ErrorKind::InvalidData).then_some(words)
}

fn phase(timeout: Timeout) -> &'static str {
    match timeout {
        Timeout::Connect => "while connecting",
        Timeout::Resolve => "while looking up the host",
        Timeout::PerWrite => "while sending: nothing was taken",
        Timeout::PerRead | Timeout::RecvBody => "while receiving: nothing came",
        Timeout::RecvResponse => "while waiting for the answer",
        _ => "while sending",
    }
}
