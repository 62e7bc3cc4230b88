//! How a source is written on a command line: a path, or a path behind the name of a form.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::Source;

/// A source that cannot be read by its text.
#[derive(Debug, thiserror::Error)]
pub enum OperandError {
    /// `docker-daemon:IMAGE`.
    #[error("images are not read from a docker daemon")]
    Daemon {
        /// What was named there.
        image: String,
    },
    /// A form of other tools.
    #[error("images are not read from `{0}:`")]
    Transport(String),
    /// `oci:`, and nothing behind it.
    #[error("`{0}` has an empty path")]
    NoPath(String),
}

impl Source {
    /// A source by its text: `-`, `oci:DIR[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE`, or a path. With
    /// `./` in front it is always a path.
    ///
    /// # Errors
    /// Every [`OperandError`].
    ///
    /// ```
    /// use oci::source::Source;
    ///
    /// let source = Source::from_operand("oci:out:v1".as_ref())?;
    /// assert_eq!(source, Source::Layout { path: "out".into(), name: Some("v1".into()) });
    /// # Ok::<(), oci::source::OperandError>(())
    /// ```
    pub fn from_operand(text: &OsStr) -> Result<Self, OperandError> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let path = || Ok(Self::Path(OsString::from(text).into()));
        let Some(known) = text.to_str() else { return path() };
        let Some((transport, rest)) = known.split_once(':') else { return path() };
        match transport {
            "oci" => split_name(known, rest).map(|(path, name)| Self::Layout { path, name }),
            "oci-archive" => {
                split_name(known, rest).map(|(path, name)| Self::OciArchive { path, name })
            }
            "docker-archive" if rest.is_empty() => Err(OperandError::NoPath(known.to_owned())),
            "docker-archive" => Ok(Self::DockerArchive(rest.into())),
            "docker-daemon" => Err(OperandError::Daemon { image: rest.to_owned() }),
            "docker" | "dir" | "containers-storage" | "http" | "https" => {
                Err(OperandError::Transport(transport.to_owned()))
            }
            _ => path(),
        }
    }
}

/// `DIR[:NAME]`, cut at the first colon as skopeo does; `text` is the whole operand.
///
/// # Errors
/// If the path is empty.
pub fn split_name(text: &str, rest: &str) -> Result<(PathBuf, Option<String>), OperandError> {
    let (path, name) = match rest.split_once(':') {
        Some((path, name)) => (path, Some(name.to_owned())),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(OperandError::NoPath(text.to_owned()));
    }
    Ok((path.into(), name.filter(|name| !name.is_empty())))
}
