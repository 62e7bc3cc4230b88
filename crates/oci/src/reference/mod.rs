//! Image references: `[docker://]host[:port]/repository[:tag][@digest]`, by the grammar of the distribution
//! project.
//!
//! <https://github.com/distribution/reference/blob/v0.6.0/reference.go>. Nothing is guessed: a reference
//! without a host has none, until the caller puts it in a registry ([`Reference::in_registry`]) or asks
//! for Docker's rules ([`Reference::in_docker_hub`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Digest, DigestError};

/// The longest name (host and repository) that registries accept.
const LONGEST_NAME: usize = 255;

/// The name of an image.
///
/// ```
/// let reference: oci::Reference = "docker://ghcr.io/org/api:v1".parse()?;
/// assert_eq!(reference.host(), Some("ghcr.io"));
/// assert_eq!(reference.repository(), "org/api");
/// assert_eq!(reference.tag(), Some("v1"));
/// assert_eq!(reference.to_string(), "ghcr.io/org/api:v1");
/// # Ok::<(), oci::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("image reference is empty")]
    Empty,
    /// The host breaks the grammar.
    #[error("`{0}` is not a registry host")]
    Host(String),
    /// The port is not a number below 65536.
    #[error("port `{0}` must be a number from 1 to 65535")]
    Port(String),
    /// An upper-case letter in the repository.
    #[error("repository `{0}` has an upper-case letter, but registries accept lower case only")]
    Uppercase(String),
    /// The repository breaks the grammar in another way.
    #[error(
        "repository `{0}` must be lower-case words joined by `.`, `_`, `__` or `-`, with `/` between components"
    )]
    Repository(String),
    /// The tag breaks the grammar.
    #[error("tag `{0}` must be up to 128 letters, digits or `_.-`, and not begin with `.` or `-`")]
    Tag(String),
    /// The digest breaks its grammar.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// Too long for any registry.
    #[error("name is {0} bytes long but must be at most 255")]
    TooLong(usize),
    /// Another transport's name.
    #[error("`{0}:` is not a registry reference")]
    Transport(String),
}

impl Reference {
    /// A repository by name, with neither host, tag nor digest.
    ///
    /// # Errors
    /// If the name breaks the grammar.
    pub fn from_repository(repository: &str) -> Result<Self, ReferenceError> {
        check_repository(repository)?;
        let repository = repository.to_owned();
        Ok(Self { host: None, repository, tag: None, digest: None })
    }

    /// The registry, with its port if one is given.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The repository in the registry, such as `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The host and the repository, without tag and digest.
    pub fn name(&self) -> String {
        match &self.host {
            Some(host) => format!("{host}/{}", self.repository),
            None => self.repository.clone(),
        }
    }

    /// The same name with another tag.
    ///
    /// # Errors
    /// If the tag breaks the grammar.
    pub fn with_tag(self, tag: &str) -> Result<Self, ReferenceError> {
        check_tag(tag)?;
        Ok(Self { tag: Some(tag.to_owned()), ..self })
    }

    /// The same name with another digest and no tag.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self }
    }

    /// The same image in the registry `prefix`, which may hold a path (`ghcr.io/org`), if it has no host.
    ///
    /// # Errors
    /// If the prefix is not a host with an optional path.
    ///
    /// ```
    /// let api: oci::Reference = "api:v1".parse()?;
    /// assert_eq!(api.in_registry("localhost:5000/team")?.to_string(), "localhost:5000/team/api:v1");
    /// # Ok::<(), oci::ReferenceError>(())
    /// ```
    pub fn in_registry(self, prefix: &str) -> Result<Self, ReferenceError> {
        if self.host.is_some() {
            return Ok(self);
        }
        let prefix = prefix.strip_prefix("docker://").unwrap_or(prefix);
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let (host, path) = match prefix.split_once('/') {
            Some((host, path)) => (host, format!("{path}/{}", self.repository)),
            None => (prefix, self.repository.clone()),
        };
        check_host(host)?;
        check_repository(&path)?;
        let out = Self { host: Some(host.to_owned()), repository: path, ..self };
        out.check_length()
    }

    /// The same image by Docker's rules: no host means `docker.io`, one component there means `library/`.
    #[must_use]
    pub fn in_docker_hub(self) -> Self {
        let host = match self.host.as_deref() {
            None | Some("index.docker.io") => "docker.io".to_owned(),
            Some(host) => host.to_owned(),
        };
        let is_official = host == "docker.io" && !self.repository.contains('/');
        let repository =
            if is_official { format!("library/{}", self.repository) } else { self.repository };
        Self { host: Some(host), repository, ..self }
    }

    fn check_length(self) -> Result<Self, ReferenceError> {
        let length = self.repository.len() + self.host.as_ref().map_or(0, |host| host.len() + 1);
        if length > LONGEST_NAME { Err(ReferenceError::TooLong(length)) } else { Ok(self) }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let text = text.strip_prefix("docker://").unwrap_or(text);
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(transport) = other_transport(text) {
            return Err(ReferenceError::Transport(transport.to_owned()));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((first, rest)) if is_host_like(first) => (Some(first), rest),
            _ => (None, rest),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        host.map_or(Ok(()), check_host)?;
        check_repository(repository)?;
        tag.map_or(Ok(()), check_tag)?;
        let (host, tag) = (host.map(str::to_owned), tag.map(str::to_owned));
        Self { host, repository: repository.to_owned(), tag, digest }.check_length()
    }
}

/// Docker's rule: the first component is a host if a path component could not look like that.
fn is_host_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.contains(|c: char| c.is_uppercase())
}

/// The transport of `oci:./dir` or `https://host/name`: something with a slash that is not behind a port.
fn other_transport(text: &str) -> Option<&str> {
    const TRANSPORTS: [&str; 8] = [
        "oci",
        "oci-archive",
        "docker-archive",
        "docker-daemon",
        "dir",
        "containers-storage",
        "http",
        "https",
    ];
    let (first, rest) = text.split_once(':')?;
    let (port, _) = rest.split_once('/')?;
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (TRANSPORTS.contains(&first) && !is_port).then_some(first)
}

fn check_host(host: &str) -> Result<(), ReferenceError> {
    let wrong = || ReferenceError::Host(host.to_owned());
    let (domain, port) = if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or_else(wrong)?;
        address.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
        match port {
            "" => (None, None),
            _ => (None, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
        }
    } else {
        match host.split_once(':') {
            Some((domain, port)) => (Some(domain), Some(port)),
            None => (Some(host), None),
        }
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if domain.is_some_and(|domain| !domain.split('.').all(is_label)) {
        return Err(wrong());
    }
    let is_port =
        |p: &str| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok_and(|n| n > 0);
    match port {
        Some(port) if !is_port(port) => Err(ReferenceError::Port(port.to_owned())),
        _ => Ok(()),
    }
}

fn check_repository(repository: &str) -> Result<(), ReferenceError> {
    if repository.len() > LONGEST_NAME {
        return Err(ReferenceError::TooLong(repository.len()));
    }
    if repository.split('/').all(is_path_component) {
        return Ok(());
    }
    let lower = repository.to_ascii_lowercase();
    if lower.split('/').all(is_path_component) {
        return Err(ReferenceError::Uppercase(repository.to_owned()));
    }
    Err(ReferenceError::Repository(repository.to_owned()))
}

/// `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`.
fn is_path_component(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    is_word(*first)
        && is_word(*last)
        && bytes.split(|b| is_word(*b)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
        })
}

fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_good = (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || b == b'.' || b == b'-');
    if is_good { Ok(()) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
