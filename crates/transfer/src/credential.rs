//! The `Authorization` header, bound to the one origin that may see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Origin, Secret};

/// An `Authorization` value and the origin it was given for; a request to any other origin goes without it.
#[derive(Debug, Clone)]
pub struct Credential {
    origin: Origin,
    value: Secret,
}

impl Credential {
    /// Basic authentication ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
    pub fn basic(origin: Origin, user: &str, password: &Secret) -> Self {
        let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
        Self { origin, value: Secret::new(format!("Basic {pair}")) }
    }

    /// A bearer token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    pub fn bearer(origin: Origin, token: &Secret) -> Self {
        Self { origin, value: Secret::new(format!("Bearer {}", token.expose())) }
    }

    /// The header's value for a request to `origin`, if it may see it.
    pub(crate) fn value_for(&self, origin: &Origin) -> Option<&str> {
        (*origin == self.origin).then(|| self.value.expose())
    }
}
