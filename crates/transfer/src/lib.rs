//! HTTP as this workspace's tools need it: bounded, redacted, parallel, with bodies that can be sent again.
//!
//! [`Client`] sends one [`Request`] at a time and answers with a [`Response`]; a body comes from a [`Source`] of known
//! length that can be opened again, and no body is ever sent to a place that a redirect names. A [`Credential`] belongs to
//! one [`Origin`] and is never sent to another. What a URL's query says (upload tokens, signatures) and what a [`Secret`]
//! holds is never printed. Every [`CallError`] names the method, the URL and what the server said.

mod body;
mod client;
mod credential;
mod download;
mod error;
mod parallel;
mod patience;
mod pending;
mod proxy;
mod request;
mod resolver;
mod response;
mod roots;
mod secret;
mod settings;
mod url;
mod words;

pub use body::{Bytes, Source};
pub use client::Client;
pub use credential::Credential;
pub use download::{Expected, Mismatch, Verified};
pub use error::{Call, CallError, Trouble};
pub use parallel::{Cancel, parallel, parallel_until};
pub use patience::Patience;
pub use proxy::{Proxies, ProxyError};
pub use request::Request;
pub use response::Response;
pub use roots::{HostTls, Roots, RootsError};
pub use secret::Secret;
pub use settings::{Settings, Timeouts};
pub use ureq::http::{HeaderMap, Method, StatusCode};
pub use url::{Origin, Url, UrlError};
pub use words::Words;
