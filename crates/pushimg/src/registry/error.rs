//! What a registry can do wrong, and what it can refuse.

use std::error::Error;
use std::io;
use std::time::Duration;

use cli::Exit;
use oci::Digest;
use transfer::{Call, CallError, StatusCode, Words};

/// Why a registry did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// The request failed, or was refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It wants a login and we have none.
    #[error("{call}: {status}{words}: `{host}` wants a login, and there is none for it")]
    NoLogin { call: Call, status: StatusCode, words: Words, host: String },
    /// It does not take our login.
    #[error("{call}: {status}{words}: the login of `{user}` is not accepted")]
    LoginRefused { call: Call, status: StatusCode, words: Words, user: String },
    /// It wants a login of a kind that we do not speak.
    #[error("{call}: it wants a login by {schemes}, but only Basic and Bearer are supported")]
    Scheme { call: Call, schemes: String },
    /// It wants a login and does not say which.
    #[error("{call}: 401 without a word on how to log in")]
    NoChallenge { call: Call },
    /// The place to get a token from is not one.
    #[error("{call}: the place to log in, `{realm}`, cannot be used: {why}")]
    Realm { call: Call, realm: String, why: &'static str },
    /// The token service gave none.
    #[error("{call}: the answer holds no token")]
    NoToken { call: Call },
    /// Something answered that is not a registry.
    #[error("{call}: {status}{words}: this is not the answer of a registry")]
    NotARegistry { call: Call, status: StatusCode, words: Words },
    /// An upload begins without a place to send it to.
    #[error("{call}: {status} without a location to send the blob to")]
    NoLocation { call: Call, status: StatusCode },
    /// An upload is sent where it must not go.
    #[error("{call}: the upload is sent to `{location}`, {why}")]
    Location { call: Call, location: String, why: &'static str },
    /// It took something and does not have it.
    #[error("{call}: {status}, but what was just pushed is not there")]
    Lost { call: Call, status: StatusCode },
    /// It takes parts and keeps none.
    #[error("{call}: {status}, but the upload does not come forward")]
    Standstill { call: Call, status: StatusCode },
    /// It says that what we sent has another digest.
    #[error("{call}: the registry says it has {found}, but it was sent {expected}")]
    Digest { call: Call, found: String, expected: Digest },
    /// What it gives is not what its name says.
    #[error("{call}: the content is not what its digest says")]
    Content { call: Call, source: io::Error },
}

impl RegistryError {
    /// 3 for what a login would change, 5 for content that is not what it should be, 2 for our own input, 4 otherwise.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoLogin { .. }
            | Self::LoginRefused { .. }
            | Self::Scheme { .. }
            | Self::NoChallenge { .. }
            | Self::Realm { .. }
            | Self::NoToken { .. } => Exit::Own(3),
            Self::Digest { .. } | Self::Content { .. } => Exit::Own(5),
            Self::Call(CallError::Source { source, .. }) if is_mismatch(source) => Exit::Own(5),
            Self::Call(CallError::Source { .. }) => Exit::Trouble,
            Self::Call(error) => match error.status().map(|status| status.as_u16()) {
                Some(401 | 403) => Exit::Own(3),
                _ => Exit::Own(4),
            },
            Self::NotARegistry { .. }
            | Self::NoLocation { .. }
            | Self::Location { .. }
            | Self::Lost { .. }
            | Self::Standstill { .. } => Exit::Own(4),
        }
    }

    /// Whether the same may go well a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_transient())
    }

    /// Whether the registry said nothing at all.
    pub(crate) fn is_without_answer(&self) -> bool {
        matches!(self, Self::Call(CallError::NoAnswer { .. } | CallError::BodyCut { .. }))
    }

    /// How long the registry asks to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Call(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Whether a registry took a manifest to name a blob that it does not have.
    pub(crate) fn is_missing_blob(&self) -> bool {
        let codes = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"];
        matches!(self, Self::Call(CallError::Status { words, .. })
            if codes.iter().any(|code| words.has_code(code)))
    }

    /// The error with its causes, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            let words = cause.to_string();
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            next = cause.source();
        }
        text
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoLogin { .. } => {
                "set `REGISTRY_USER` and `REGISTRY_PASSWORD`, or pass `--username` and `--password-stdin`"
            }
            Self::LoginRefused { .. } => "check the user name and the password or token",
            Self::Call(error) if error.status() == Some(StatusCode::FORBIDDEN) => {
                "the login must be allowed to push to this repository, and the repository may have to exist"
            }
            Self::Call(CallError::NoAnswer { source: transfer::Trouble::Tls(_), .. }) => {
                "name the certificates to trust in `SSL_CERT_FILE`, or use plain http by `--insecure`"
            }
            Self::Call(error) if let Some(time) = error.retry_after() => {
                return Some(format!(
                    "the registry asks to wait for {} s: try again then, or with a longer `--retry-for`",
                    time.as_secs()
                ));
            }
            Self::NotARegistry { .. } => "check the host and the path of the reference",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Whether a source failed because its bytes are not what its digest says, and not for want of a disk.
pub(crate) fn is_mismatch(error: &io::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> =
        error.get_ref().map(|inner| -> &(dyn Error + 'static) { inner });
    while let Some(cause) = next {
        if cause.is::<oci::MismatchError>() {
            return true;
        }
        next = cause.source();
    }
    false
}
