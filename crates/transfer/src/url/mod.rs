//! `http` and `https` URLs ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986)) whose query bytes are never rewritten.
//!
//! Refused: other schemes, user names and passwords in the authority, characters that a request line cannot carry.
//! Printing a URL leaves its query out: upload sessions and presigned stores keep their secrets there.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ureq::http::Uri;

/// Why a text is no URL that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It has another scheme, or none.
    #[error("`{0}` is neither `http` nor `https`")]
    Scheme(String),
    /// It has no host, or one with characters that no host has.
    #[error("the host `{0}` is not a host name")]
    Host(String),
    /// The port is no number between 1 and 65535.
    #[error("the port `{0}` is not between 1 and 65535")]
    Port(String),
    /// It holds a user name or a password, which would end up in logs.
    #[error("it carries credentials, which belong in a header")]
    Credentials,
    /// It has characters that a request line cannot carry.
    #[error("it has characters that are not allowed in a URL")]
    Characters,
}

/// Scheme, host and port: who may see a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The host, in lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, written or implied.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is spoken to by TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is this machine: `localhost`, names under it, or an address of the loopback.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// Whether it is written as an address that means something else on every network: loopback, private, link-local.
    pub fn is_private_address(&self) -> bool {
        match self.host().parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(IpAddr::V4(ip)) => {
                ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
            }
            Ok(IpAddr::V6(ip)) => {
                ip.is_loopback()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
                    || ip.is_unspecified()
            }
            Err(_) => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A URL that can be asked. Its `Display` and `Debug` leave the query out.
///
/// ```
/// let asked: transfer::Url = "https://registry.example/v2/a/blobs/uploads/".parse()?;
/// let next = asked.resolve("/v2/a/blobs/uploads/7?_state=s%2Fs==")?.with_pair("digest", "sha256:0a");
/// assert_eq!(next.as_str(), "https://registry.example/v2/a/blobs/uploads/7?_state=s%2Fs==&digest=sha256%3A0a");
/// assert_eq!(next.to_string(), "https://registry.example/v2/a/blobs/uploads/7?…");
/// # Ok::<(), transfer::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    origin: Origin,
    text: String,
    /// Where the path begins in `text`.
    path: usize,
}

impl Url {
    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The whole text, query included: for the request line, not for people.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The path, always beginning with `/`.
    pub fn path(&self) -> &str {
        self.path_and_query().0
    }

    /// The query without its `?`, byte for byte as it was given.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query().1
    }

    /// Resolves what a `Location` header says against this URL, the one that answered (RFC 3986, section 5.2).
    ///
    /// # Errors
    /// When the result is no URL that can be asked.
    pub fn resolve(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return reference.parse();
        }
        let scheme = if self.0.origin.secure { "https" } else { "http" };
        if let Some(rest) = reference.strip_prefix("//") {
            return format!("{scheme}://{rest}").parse();
        }
        let (path, query) = split_query(reference);
        let (path, query) = if path.is_empty() {
            (self.path().to_owned(), query.or(self.query()))
        } else if path.starts_with('/') {
            (without_dots(path), query)
        } else {
            let base = self.path();
            let folder = &base[..=base.rfind('/').unwrap_or(0)];
            (without_dots(&format!("{folder}{path}")), query)
        };
        let authority = &self.0.text[..self.0.path];
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{authority}{path}{query}").parse()
    }

    /// Adds `name=value` at the end of the query, leaving the bytes before it as they are.
    #[must_use]
    pub fn with_pair(&self, name: &str, value: &str) -> Self {
        let joint = match self.query() {
            None => "?",
            Some("") => "",
            Some(query) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let text = format!("{}{joint}{}={}", self.0.text, encoded(name), encoded(value));
        Self(Arc::new(Parts { origin: self.0.origin.clone(), text, path: self.0.path }))
    }

    fn path_and_query(&self) -> (&str, Option<&str>) {
        split_query(&self.0.text[self.0.path..])
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| UrlError::Scheme(scheme_of(text)))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::Scheme(scheme.to_owned())),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        let (host, port) = host_and_port(authority, if secure { 443 } else { 80 })?;
        let origin = Origin { secure, host, port };
        let slash = if tail.starts_with('/') { "" } else { "/" };
        let head = origin.to_string();
        let path = head.len();
        let text = format!("{head}{slash}{tail}");
        // The transport parses it again: what it would refuse is refused here, with words.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.parse::<Uri>().is_err() {
            return Err(UrlError::Characters);
        }
        Ok(Self(Arc::new(Parts { origin, text, path })))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.query().is_some() { "?…" } else { "" };
        write!(f, "{}{}{query}", &self.0.text[..self.0.path], self.path())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The scheme of a text that has no `://`, for the error; never more than that, as the rest may hold a secret.
fn scheme_of(text: &str) -> String {
    match text.split_once(':') {
        Some((scheme, _)) if has_scheme(text) => scheme.to_owned(),
        _ => String::new(),
    }
}

/// Whether a reference begins with a scheme; `a:b/c` does, `a/b:c` does not.
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    }
}

fn host_and_port(authority: &str, default: u16) -> Result<(String, u16), UrlError> {
    let after_host = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[after_host..].split_once(':') {
        Some((host, port)) => (&authority[..after_host + host.len()], port),
        None => (authority, ""),
    };
    let port = match port {
        "" => default,
        port => match port.parse() {
            Ok(number) if number != 0 && port.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => return Err(UrlError::Port(port.to_owned())),
        },
    };
    let good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
    };
    if good { Ok((host.to_ascii_lowercase(), port)) } else { Err(UrlError::Host(host.to_owned())) }
}

/// RFC 3986, section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Percent-encodes all but the unreserved characters.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests;
