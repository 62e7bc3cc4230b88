//! Where a login comes from: flags, `REGISTRY_USER` and `REGISTRY_PASSWORD`, then the files that docker, podman and skopeo
//! share: <https://github.com/containers/image/blob/v5.32.2/docs/containers-auth.json.5.md>. They are only read.
//!
//! Variables belong to the registry that `REGISTRY` names, if it names one: another one never gets them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cli::{Env, StdinIsTerminal, Var};
use oci::Reference;
use serde::Deserialize;
use transfer::Secret;

use crate::args::LoginArgs;
use crate::registry::Login;

/// More than this is neither a password nor a file of them.
const MAX_FILE: u64 = 4 << 20;

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
            _ => return None,
        })
    }
}

/// A login that was found, and what to tell about it.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    pub(crate) login: Option<Login>,
    /// A helper program that a file names in place of a login: helpers are not run.
    pub(crate) helper: Option<String>,
}

/// Looks for the login of a reference's registry.
pub(crate) fn find(
    args: &LoginArgs,
    env: &Env,
    reference: &Reference,
    stdin: impl FnOnce() -> Result<Box<dyn Read + Send>, StdinIsTerminal>,
) -> Result<Credentials, CredentialsError> {
    let text = |var| env.get(var).map(|value| value.to_string_lossy().into_owned());
    let password = if args.password_stdin {
        Some(password(stdin()?)?)
    } else if let Some(path) = &args.password_file {
        Some(password(fs_err::File::open(path).map_err(CredentialsError::Password)?)?)
    } else {
        None
    };
    let host = reference.host().unwrap_or_default();
    let named = text(Var::Registry).and_then(|registry| host_of(&registry));
    let variables_are_for_it = named.is_none_or(|named| named == host);
    let flags = args.username.is_some() || password.is_some();
    let (mut user, mut secret) = (args.username.clone(), password);
    if variables_are_for_it || flags {
        user = user.or_else(|| text(Var::RegistryUser));
        secret = secret.or_else(|| text(Var::RegistryPassword).map(Secret::new));
    }
    match (user, secret) {
        (Some(user), Some(password)) => {
            Ok(Credentials { login: Some(Login { user, password }), helper: None })
        }
        (Some(user), None) => Err(CredentialsError::NoPassword(user)),
        (None, Some(_)) => Err(CredentialsError::NoUser),
        (None, None) => from_files(args, env, reference),
    }
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

fn from_files(
    args: &LoginArgs,
    env: &Env,
    reference: &Reference,
) -> Result<Credentials, CredentialsError> {
    let named = args.authfile.clone();
    let named = named.or_else(|| env.get(Var::RegistryAuthFile).map(PathBuf::from));
    if let Some(path) = named {
        return look_into(&path, reference).map(Option::unwrap_or_default);
    }
    let home = env.get(Var::Home).map(PathBuf::from);
    let below = |folder: Option<PathBuf>, rest: &str| folder.map(|folder| folder.join(rest));
    let docker = env.get(Var::DockerConfig).map(PathBuf::from);
    let places = [
        below(env.get(Var::XdgRuntimeDir).map(PathBuf::from), "containers/auth.json"),
        below(env.config_home(), "containers/auth.json"),
        below(docker.or_else(|| below(home, ".docker")), "config.json"),
    ];
    for path in places.into_iter().flatten().filter(|path| path.is_file()) {
        if let Some(found) = look_into(&path, reference)? {
            return Ok(found);
        }
    }
    Ok(Credentials::default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, AuthEntry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct AuthEntry {
    auth: Option<String>,
}

/// The login that one file has, by the longest name that covers the repository.
fn look_into(path: &Path, reference: &Reference) -> Result<Option<Credentials>, CredentialsError> {
    let file = fs_err::File::open(path).map_err(CredentialsError::File)?;
    let file: AuthFile = serde_json::from_reader(io::BufReader::new(file.take(MAX_FILE)))
        .map_err(|source| CredentialsError::Json { path: path.to_owned(), source })?;
    let host = reference.host().unwrap_or_default();
    if let Some(helper) = file.cred_helpers.get(host) {
        return Ok(Some(Credentials { login: None, helper: Some(helper.clone()) }));
    }
    let normal: BTreeMap<_, _> =
        file.auths.iter().map(|(key, entry)| (normal(key), (key, entry))).collect();
    let name = reference.name();
    let mut scope = Some(name.as_str());
    while let Some(key) = scope {
        // An entry without a login only says that a helper keeps it.
        let entry = normal.get(key).and_then(|(key, entry)| Some((key, entry.auth.as_ref()?)));
        if let Some((key, auth)) = entry.filter(|(_, auth)| !auth.is_empty()) {
            let login = decode(auth).ok_or_else(|| CredentialsError::Entry {
                path: path.to_owned(),
                key: (*key).clone(),
            })?;
            return Ok(Some(Credentials { login: Some(login), helper: None }));
        }
        scope = key.rsplit_once('/').map(|(wider, _)| wider);
    }
    let helper = file.creds_store.filter(|_| normal.contains_key(host));
    Ok(helper.map(|helper| Credentials { login: None, helper: Some(helper) }))
}

/// `https://host/v1/` as `host`; Docker Hub's old name as its new one.
fn normal(key: &str) -> String {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let rest = rest.map_or(key, |rest| rest.split('/').next().unwrap_or_default());
    if rest == "index.docker.io" { "docker.io".to_owned() } else { rest.to_owned() }
}

/// `user:password` in base64; a password may hold colons, and some writers leave NULs at the end.
fn decode(auth: &str) -> Option<Login> {
    let bytes = STANDARD.decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.trim_end_matches('\0').split_once(':')?;
    Some(Login { user: user.to_owned(), password: Secret::new(password) })
}
