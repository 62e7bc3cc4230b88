//! The files of logins that docker, podman and skopeo share, read and written:
//! <https://github.com/containers/image/blob/v5.32.2/docs/containers-auth.json.5.md>.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cli::{Env, Var};
use oci::Reference;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;
use transfer::Secret;

use crate::args::LoginArgs;
use crate::credentials::{CredentialsError, MAX_FILE};
use crate::helper::Helper;
use crate::registry::{IDENTITY_USER, Login};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct AuthFile {
    auths: BTreeMap<String, AuthEntry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AuthEntry {
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// Looks for a login: in the one file that was named, or in those that are there.
pub(crate) fn find(
    args: &LoginArgs,
    env: &Env,
    reference: &Reference,
) -> Result<Option<Login>, CredentialsError> {
    if let Some(path) = named(args, env) {
        return look_into(&path, env, reference);
    }
    for path in places(env).into_iter().filter(|path| path.is_file()) {
        if let Some(found) = look_into(&path, env, reference)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn named(args: &LoginArgs, env: &Env) -> Option<PathBuf> {
    args.authfile.clone().or_else(|| env.get(Var::RegistryAuthFile).map(PathBuf::from))
}

/// Podman's files, then docker's.
fn places(env: &Env) -> Vec<PathBuf> {
    let home = env.get(Var::Home).map(PathBuf::from);
    let below = |folder: Option<PathBuf>, rest: &str| folder.map(|folder| folder.join(rest));
    let docker = env.get(Var::DockerConfig).map(PathBuf::from);
    let places = [
        below(env.get(Var::XdgRuntimeDir).map(PathBuf::from), "containers/auth.json"),
        below(env.config_home(), "containers/auth.json"),
        below(docker.or_else(|| below(home.clone(), ".docker")), "config.json"),
        below(home, ".dockercfg"),
    ];
    places.into_iter().flatten().collect()
}

/// Where a login is kept: in the file that was named, in the first one that is there, else in podman's.
fn place(args: &LoginArgs, env: &Env) -> Result<PathBuf, CredentialsError> {
    if let Some(path) = named(args, env) {
        return Ok(path);
    }
    let places = places(env);
    let known = places.iter().find(|path| path.is_file() && !path.ends_with(".dockercfg"));
    known.or(places.first()).cloned().ok_or(CredentialsError::NoPlace)
}

fn read(path: &Path) -> Result<Vec<u8>, CredentialsError> {
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path).map_err(CredentialsError::File)?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(CredentialsError::File)?;
    Ok(bytes)
}

/// The login that one file has, by the longest name that covers the repository.
fn look_into(
    path: &Path,
    env: &Env,
    reference: &Reference,
) -> Result<Option<Login>, CredentialsError> {
    let bytes = read(path)?;
    let wrong = |source| CredentialsError::Json { path: path.to_owned(), source };
    let file = if path.ends_with(".dockercfg") {
        // The oldest form has the entries at the top.
        let auths = serde_json::from_slice(&bytes).map_err(wrong)?;
        AuthFile { auths, ..AuthFile::default() }
    } else {
        serde_json::from_slice::<AuthFile>(&bytes).map_err(wrong)?
    };
    let host = reference.host().unwrap_or_default();
    if let Some(helper) = file.cred_helpers.get(host) {
        return Ok(Helper::find(helper, env)?.get(server(host))?);
    }
    let normal: BTreeMap<_, _> =
        file.auths.iter().map(|(key, entry)| (normal(key), (key, entry))).collect();
    let name = reference.name();
    let mut scope = Some(name.as_str());
    while let Some(key) = scope {
        if let Some((key, entry)) = normal.get(key)
            && let Some(login) = login(entry).ok_or_else(|| CredentialsError::Entry {
                path: path.to_owned(),
                key: (*key).clone(),
            })?
        {
            return Ok(Some(login));
        }
        scope = key.rsplit_once('/').map(|(wider, _)| wider);
    }
    match file.creds_store {
        Some(helper) => Ok(Helper::find(&helper, env)?.get(server(host))?),
        None => Ok(None),
    }
}

/// How docker calls a server to its helpers.
fn server(host: &str) -> &str {
    if host == "docker.io" { "https://index.docker.io/v1/" } else { host }
}

/// `https://host/v1/` as `host`; Docker Hub's old name as its new one.
fn normal(key: &str) -> String {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let rest = rest.map_or(key, |rest| rest.split('/').next().unwrap_or_default());
    if rest == "index.docker.io" { "docker.io".to_owned() } else { rest.to_owned() }
}

/// The login of an entry; none inside if the entry only says that a helper keeps it, none at all if it is broken.
#[expect(
    clippy::option_option,
    reason = "the entry may be empty, which is no mistake, or broken, which is one"
)]
fn login(entry: &AuthEntry) -> Option<Option<Login>> {
    let pair = match entry.auth.as_deref().filter(|auth| !auth.is_empty()) {
        Some(auth) => Some(decode(auth)?),
        None => None,
    };
    let Some(token) = entry.identitytoken.as_ref().filter(|token| !token.is_empty()) else {
        return Some(pair.map(|(user, password)| Login::new(user, password)));
    };
    let user = pair.map(|(user, _)| user).filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| IDENTITY_USER.to_owned());
    Some(Some(Login { user, password: Secret::new(token), identity: true }))
}

/// `user:password` in base64; a password may hold colons, and some writers leave NULs at the end.
fn decode(auth: &str) -> Option<(String, Secret)> {
    let bytes = STANDARD.decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.trim_end_matches('\0').split_once(':')?;
    Some((user.to_owned(), Secret::new(password)))
}

/// Keeps a login; says where.
pub(crate) fn store(
    args: &LoginArgs,
    env: &Env,
    key: &str,
    login: &Login,
) -> Result<PathBuf, CredentialsError> {
    let path = place(args, env)?;
    let mut file = open(&path)?;
    if let Some(helper) = helper_of(&file, key) {
        Helper::find(&helper, env)?.store(server(key), login)?;
        return Ok(path);
    }
    let pair = STANDARD.encode(format!("{}:{}", login.user, login.password.expose()));
    let auths = file.entry("auths").or_insert_with(|| json!({}));
    if !auths.is_object() {
        *auths = json!({});
    }
    if let Some(auths) = auths.as_object_mut() {
        auths.retain(|known, _| normal(known) != normal(key));
        auths.insert(server(key).to_owned(), json!({"auth": pair}));
    }
    write(&path, &file)?;
    Ok(path)
}

/// Forgets a login; says where it was.
pub(crate) fn forget(args: &LoginArgs, env: &Env, key: &str) -> Result<PathBuf, CredentialsError> {
    let candidates = match named(args, env) {
        Some(path) => vec![path],
        None => places(env),
    };
    for path in candidates.into_iter().filter(|path| path.is_file()) {
        let mut file = open(&path)?;
        let helper = helper_of(&file, key);
        let mut gone = match helper {
            Some(helper) => Helper::find(&helper, env)?.erase(server(key))?,
            None => false,
        };
        if let Some(auths) = file.get_mut("auths").and_then(Value::as_object_mut) {
            let before = auths.len();
            auths.retain(|known, _| normal(known) != normal(key));
            if auths.len() != before {
                gone = true;
                write(&path, &file)?;
            }
        }
        if gone {
            return Ok(path);
        }
    }
    Err(CredentialsError::NotThere(key.to_owned()))
}

/// The helper that keeps a login, if one does.
fn helper_of(file: &Map<String, Value>, key: &str) -> Option<String> {
    let own = file.get("credHelpers").and_then(|helpers| helpers.get(key));
    own.or_else(|| file.get("credsStore")).and_then(Value::as_str).map(str::to_owned)
}

/// All of a file, known keys or not; nothing if there is none.
fn open(path: &Path) -> Result<Map<String, Value>, CredentialsError> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let bytes = read(path)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| CredentialsError::Json { path: path.to_owned(), source })
}

/// Writes a file beside, for its owner's eyes alone, and renames it. A link is written through.
fn write(path: &Path, file: &Map<String, Value>) -> Result<(), CredentialsError> {
    let target = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let written = || -> io::Result<()> {
        fs_err::create_dir_all(folder)?;
        // Temporary files are readable by their owner alone.
        let mut beside = NamedTempFile::new_in(folder)?;
        let text = serde_json::to_string_pretty(file).map_err(io::Error::other)?;
        beside.write_all(text.as_bytes())?;
        beside.write_all(b"\n")?;
        beside.as_file().sync_all()?;
        beside.persist(&target)?;
        Ok(())
    };
    written().map_err(CredentialsError::Write)
}
