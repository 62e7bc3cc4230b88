//! What the machine says about registries: `registries.conf` and `certs.d`, as podman and skopeo read them.
//!
//! Of `registries.conf` (version 2) a push hears `blocked`, `insecure` and `location`; mirrors are for pulling:
//! <https://github.com/containers/image/blob/v5.32.2/docs/containers-registries.conf.5.md>.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cli::Env;
use oci::{Reference, ReferenceError};
use serde::Deserialize;
use transfer::{HostTls, Origin};

use cli::Var;

/// More than this is no list of registries.
const MAX_FILE: u64 = 4 << 20;
const SYSTEM: &str = "/etc/containers";
const SYSTEM_CERTS: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// Why what the machine says cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistriesError {
    #[error("cannot read what is set for registries")]
    Read(#[source] io::Error),
    #[error("`{}` is no list of registries", path.display())]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("`{reference}` is blocked by `{}`", path.display())]
    Blocked { reference: String, path: PathBuf },
    #[error("`{}` leads `{reference}` to `{location}`, which is no reference", path.display())]
    Location { reference: String, location: String, path: PathBuf, source: ReferenceError },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    registry: Vec<Entry>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Entry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
}

/// What is set for one reference.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Where it really is.
    pub(crate) reference: Reference,
    /// Whether any certificate will do, and plain http, too.
    pub(crate) insecure: bool,
}

/// Finds what is set for a reference: the longest prefix wins, and of those the last one read.
pub(crate) fn rule(env: &Env, reference: &Reference) -> Result<Rule, RegistriesError> {
    let mut best: Option<(usize, Entry, PathBuf)> = None;
    for path in files(env) {
        for entry in read(&path)?.registry {
            let prefix = if entry.prefix.is_empty() { &entry.location } else { &entry.prefix };
            let Some(length) = covers(prefix, &reference.name()) else { continue };
            if best.as_ref().is_none_or(|(known, ..)| length >= *known) {
                best = Some((length, entry, path.clone()));
            }
        }
    }
    let Some((length, entry, path)) = best else {
        return Ok(Rule { reference: reference.clone(), insecure: false });
    };
    if entry.blocked {
        return Err(RegistriesError::Blocked { reference: reference.to_string(), path });
    }
    let insecure = entry.insecure;
    if entry.location.is_empty() || entry.prefix.is_empty() {
        return Ok(Rule { reference: reference.clone(), insecure });
    }
    let whole = reference.to_string();
    let location = format!("{}{}", entry.location, &whole[length..]);
    match location.parse() {
        Ok(reference) => Ok(Rule { reference, insecure }),
        Err(source) => Err(RegistriesError::Location { reference: whole, location, path, source }),
    }
}

/// How much of a name a prefix covers: whole parts of it; `*.example.com` covers hosts.
fn covers(prefix: &str, name: &str) -> Option<usize> {
    if let Some(suffix) = prefix.strip_prefix("*.") {
        let host = name.split('/').next().unwrap_or_default();
        return host.strip_suffix(suffix).filter(|rest| rest.ends_with('.')).map(|_| host.len());
    }
    let rest = name.strip_prefix(prefix)?;
    (!prefix.is_empty() && (rest.is_empty() || rest.starts_with('/'))).then_some(prefix.len())
}

/// The files, those that win last.
fn files(env: &Env) -> Vec<PathBuf> {
    let own = env.config_home().map(|home| home.join("containers"));
    let own_file = own.as_ref().map(|own| own.join("registries.conf"));
    let mut files = Vec::new();
    match own_file.filter(|file| file.is_file()) {
        Some(file) => files.push(file),
        None => files.push(Path::new(SYSTEM).join("registries.conf")),
    }
    for folder in [Some(PathBuf::from(SYSTEM)), own].into_iter().flatten() {
        let Ok(entries) = fs_err::read_dir(folder.join("registries.conf.d")) else { continue };
        let mut more: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        more.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
        more.sort();
        files.extend(more);
    }
    files.retain(|file| file.is_file());
    files
}

fn read(path: &Path) -> Result<File, RegistriesError> {
    let mut text = String::new();
    let file = fs_err::File::open(path).map_err(RegistriesError::Read)?;
    file.take(MAX_FILE).read_to_string(&mut text).map_err(RegistriesError::Read)?;
    toml::from_str(&text)
        .map_err(|source| RegistriesError::Toml { path: path.to_owned(), source: Box::new(source) })
}

/// What a host has in `certs.d`, in the first folder that is named after it: `*.crt` are trusted for it, and a `*.cert`
/// with its `*.key` is who we are.
pub(crate) fn certificates(
    env: &Env,
    host: &str,
    origin: &Origin,
    unverified: bool,
) -> Option<HostTls> {
    let own = env.config_home().map(|home| home.join("containers/certs.d"));
    let docker = env.get(Var::Home).map(|home| Path::new(home).join(".docker/certs.d"));
    let folders = own.into_iter().chain(SYSTEM_CERTS.map(PathBuf::from)).chain(docker);
    let folder = folders.map(|folder| folder.join(host)).find(|folder| folder.is_dir());
    let mut found = HostTls {
        host: origin.host().to_owned(),
        port: origin.port(),
        authorities: Vec::new(),
        pair: None,
        unverified,
    };
    let entries = folder.and_then(|folder| fs_err::read_dir(folder).ok()).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => found.authorities.push(path),
            Some("cert") => {
                let key = path.with_extension("key");
                found.pair = found.pair.or(Some((path, key)));
            }
            _ => {}
        }
    }
    let nothing = found.authorities.is_empty() && found.pair.is_none() && !unverified;
    (!nothing).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_cover_whole_parts() {
        assert_eq!(covers("ghcr.io", "ghcr.io/org/app"), Some(7));
        assert_eq!(covers("ghcr.io/org", "ghcr.io/org/app"), Some(11));
        assert_eq!(covers("ghcr.io/or", "ghcr.io/org/app"), None);
        assert_eq!(covers("ghcr.io", "ghcr.io:5000/app"), None);
        assert_eq!(covers("*.example.com", "a.b.example.com/app"), Some(15));
        assert_eq!(covers("*.example.com", "example.com/app"), None);
        assert_eq!(covers("", "example.com/app"), None);
    }
}
