//! Where a login comes from: flags, `REGISTRY_USER` and `REGISTRY_PASSWORD`, then the files that docker, podman and skopeo
//! share: <https://github.com/containers/image/blob/v5.32.2/docs/containers-auth.json.5.md>.
//!
//! Variables belong to the registry that `REGISTRY` names, if it names one: another one never gets them.

use std::io::{self, Read};
use std::path::PathBuf;

use cli::{Env, Io, StdinIsTerminal, Var};
use oci::Reference;
use transfer::Secret;

use crate::args::LoginArgs;
use crate::authfile;
use crate::helper::HelperError;
use crate::registry::Login;

/// More than this is neither a password nor a file of them.
pub(crate) const MAX_FILE: u64 = 4 << 20;

/// A login that was named and cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("cannot read the password")]
    Password(#[source] io::Error),
    #[error("the password is empty")]
    Empty,
    #[error("the password is not one line of text")]
    NotALine,
    #[error("there is a password, but no user name")]
    NoUser,
    #[error("there is a user name, `{0}`, but no password")]
    NoPassword(String),
    #[error("cannot read credentials")]
    File(#[source] io::Error),
    #[error("`{}` is no file of credentials", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("the entry `{key}` of `{}` is not a user name and a password in base64", path.display())]
    Entry { path: PathBuf, key: String },
    #[error("the user name `{0}` has a colon in it")]
    Colon(String),
    #[error("cannot write credentials")]
    Write(#[source] io::Error),
    #[error("there is no place for credentials: neither `HOME` nor `XDG_RUNTIME_DIR` is set")]
    NoPlace,
    #[error("there is no login for `{0}`")]
    NotThere(String),
    #[error(transparent)]
    Helper(#[from] HelperError),
    #[error(transparent)]
    Stdin(#[from] StdinIsTerminal),
}

impl CredentialsError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoUser => "pass `--username`, or set `REGISTRY_USER`".to_owned(),
            Self::NoPassword(_) => {
                "set `REGISTRY_PASSWORD`, or pass `--password-stdin` or `--password-file`"
                    .to_owned()
            }
            Self::NoPlace => "name a file: `--authfile FILE`".to_owned(),
            Self::Helper(error) => return error.hint(),
            _ => return None,
        })
    }
}

/// Looks for the login of a reference's registry. `given` is the password that a flag led to; without `own`, flags and
/// variables are for another registry.
pub(crate) fn find(
    args: &LoginArgs,
    env: &Env,
    reference: &Reference,
    given: Option<Secret>,
    own: bool,
) -> Result<Option<Login>, CredentialsError> {
    let text = |var| env.get(var).map(|value| value.to_string_lossy().into_owned());
    let host = reference.host().unwrap_or_default();
    let named = text(Var::Registry).and_then(|registry| host_of(&registry));
    let variables_are_for_it = named.map_or(own, |named| named == host);
    let flags = own && (args.username.is_some() || given.is_some());
    let (mut user, mut secret) = (None, None);
    if own {
        (user, secret) = (args.username.clone(), given);
    }
    if variables_are_for_it || flags {
        user = user.or_else(|| text(Var::RegistryUser));
        secret = secret.or_else(|| text(Var::RegistryPassword).map(Secret::new));
    }
    match (user, secret) {
        (Some(user), Some(password)) => Ok(Some(Login::new(user, password))),
        (Some(user), None) => Err(CredentialsError::NoPassword(user)),
        (None, Some(_)) => Err(CredentialsError::NoUser),
        (None, None) => authfile::find(args, env, reference),
    }
}

/// The password that a flag leads to.
pub(crate) fn given(args: &LoginArgs, io: &mut Io) -> Result<Option<Secret>, CredentialsError> {
    if args.password_stdin {
        return password(io.stdin()?).map(Some);
    }
    let Some(path) = &args.password_file else { return Ok(None) };
    password(fs_err::File::open(path).map_err(CredentialsError::Password)?).map(Some)
}

/// The host of what `REGISTRY` says, which may have a scheme in front and a path behind.
fn host_of(registry: &str) -> Option<String> {
    let rest = registry.strip_prefix("docker://").unwrap_or(registry);
    rest.split('/').next().filter(|host| !host.is_empty()).map(str::to_owned)
}

/// One line: what follows it, a line feed, belongs to the command that printed it.
fn password(from: impl Read) -> Result<Secret, CredentialsError> {
    let mut text = String::new();
    from.take(MAX_FILE).read_to_string(&mut text).map_err(CredentialsError::Password)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(CredentialsError::Empty);
    }
    if line.contains(['\n', '\r', '\0']) {
        return Err(CredentialsError::NotALine);
    }
    Ok(Secret::new(line))
}
