//! Where packages are really fetched from: the public registries, or what the user's npm is told instead.
//!
//! A mirror changes the address of a download and nothing else: names and hashes come from the lockfile, and what does
//! not match its hash is refused, wherever it came from. Read are `npm_config_registry`, `.npmrc` beside the lockfile
//! and in the home folder ([npm's page](https://docs.npmjs.com/cli/configuring-npm/npmrc)): `registry`,
//! `@scope:registry`, `replace-registry-host`, `//host/:_authToken`, `cafile`.

use std::path::{Path, PathBuf};

use cli::{Env, Var};
use transfer::{Credential, Secret, Url, UrlError};

/// The public registry of npm, and yarn's name for it: what a mirror stands for.
const PUBLIC: [&str; 2] =
    [concat!("registry.", "npmjs", ".org"), concat!("registry.", "yarnpkg", ".com")];

/// The archive of a crate: the static host, as the API is meant for one request a second.
pub(crate) fn crate_url(name: &str, version: &str) -> String {
    format!("https://static.crates.io/crates/{name}/{name}-{version}.crate")
}

/// Which URLs of a lockfile are asked of the registry that npm is told to use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Replace {
    /// Those of the public registries.
    #[default]
    Public,
    /// All.
    Always,
    /// None.
    Never,
    /// Those of one host.
    Host(String),
}

/// What the user's files say.
#[derive(Debug, Default)]
pub(crate) struct Registries {
    registry: Option<Url>,
    /// `@scope` and its registry.
    scopes: Vec<(String, Url)>,
    replace: Replace,
    /// `host/path/` and what proves the user there.
    tokens: Vec<(String, Secret)>,
    /// Certificates to trust instead of the system's.
    pub(crate) cafile: Option<PathBuf>,
}

/// A line of an `.npmrc` that is not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistriesError {
    /// It cannot be read.
    #[error("failed to read npm's settings")]
    Read(#[source] std::io::Error),
    /// A registry that is no URL.
    #[error("{place}: `{url}` is no registry")]
    Url {
        /// Where it stands.
        place: String,
        /// What was said.
        url: String,
        /// What is wrong with it.
        #[source]
        source: UrlError,
    },
}

impl Registries {
    /// Reads what npm would read for a lockfile; `registry` is the user's own word, which wins.
    ///
    /// # Errors
    /// When a file cannot be read, or a registry is no URL.
    pub(crate) fn find(
        lockfile: &Path,
        registry: Option<&str>,
        env: &Env,
    ) -> Result<Self, RegistriesError> {
        let mut found = Self::default();
        // The first word holds, so the nearest file is read first.
        if let Some(url) = registry {
            found.set("registry", url, "--registry")?;
        }
        if let Some(url) = env.get(Var::NpmConfigRegistry).and_then(|url| url.to_str()) {
            found.set("registry", url, "npm_config_registry")?;
        }
        let folder = lockfile.parent().unwrap_or(Path::new(""));
        let home = env.get(Var::Home).map(PathBuf::from);
        for path in [Some(folder.join(".npmrc")), home.map(|home| home.join(".npmrc"))] {
            let Some(path) = path else { continue };
            match fs_err::read_to_string(&path) {
                Ok(text) => found.read(&text, &path, env)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(RegistriesError::Read(error)),
            }
        }
        Ok(found)
    }

    /// Reads the lines of an `.npmrc`.
    fn read(&mut self, text: &str, path: &Path, env: &Env) -> Result<(), RegistriesError> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with(['#', ';', '[']) {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            let place = format!("{}:{}", path.display(), number + 1);
            self.set(key.trim(), &expand(value, env), &place)?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str, place: &str) -> Result<(), RegistriesError> {
        let url = || {
            let base = format!("{}/", value.trim_end_matches('/'));
            base.parse::<Url>().map_err(|source| RegistriesError::Url {
                place: place.to_owned(),
                url: value.to_owned(),
                source,
            })
        };
        if key == "registry" {
            if self.registry.is_none() {
                self.registry = Some(url()?);
            }
        } else if let Some(scope) = key.strip_suffix(":registry") {
            if !self.scopes.iter().any(|(known, _)| known == scope) {
                self.scopes.push((scope.to_owned(), url()?));
            }
        } else if key == "replace-registry-host" && self.replace == Replace::Public {
            self.replace = match value {
                "always" => Replace::Always,
                "never" => Replace::Never,
                "npmjs" => Replace::Public,
                host => Replace::Host(host.to_owned()),
            };
        } else if let Some(at) =
            key.strip_prefix("//").and_then(|key| key.strip_suffix(":_authToken"))
        {
            let at = format!("{}/", at.trim_end_matches('/'));
            self.tokens.push((at, Secret::new(value)));
        } else if key == "cafile" && self.cafile.is_none() {
            self.cafile = Some(PathBuf::from(value));
        }
        Ok(())
    }

    /// Where a URL of a lockfile is asked for.
    ///
    /// # Errors
    /// When it is no URL that can be asked.
    pub(crate) fn resolve(&self, url: &str) -> Result<Url, UrlError> {
        let original: Url = url.parse()?;
        let Some((_, rest)) = url.split_once("://") else { return Ok(original) };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_replaced = match &self.replace {
            Replace::Public => PUBLIC.contains(&host),
            Replace::Always => true,
            Replace::Never => false,
            Replace::Host(known) => known == host,
        };
        let scope = path.split('/').next().filter(|first| first.starts_with('@'));
        let scoped = self.scopes.iter().find(|(known, _)| Some(known.as_str()) == scope);
        let base = scoped.map(|(_, url)| url).or(self.registry.as_ref());
        match base.filter(|_| is_replaced) {
            Some(base) => format!("{}{path}", base.as_str()).parse(),
            None => Ok(original),
        }
    }

    /// What proves the user at a URL.
    pub(crate) fn credential(&self, url: &Url) -> Option<Credential> {
        let text = url.as_str();
        let (_, rest) = text.split_once("://")?;
        let (_, token) = self.tokens.iter().find(|(at, _)| rest.starts_with(at.as_str()))?;
        Some(Credential::bearer(url.origin().clone(), token))
    }
}

/// Puts variables in for `${NAME}`, as npm does; one that is not set stays as it stands.
fn expand(value: &str, env: &Env) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(begin) = rest.find("${") {
        let Some(length) = rest[begin..].find('}') else { break };
        let name = &rest[begin + 2..begin + length];
        out.push_str(&rest[..begin]);
        let known = env.all().find(|(known, _)| *known == std::ffi::OsStr::new(name));
        match known.and_then(|(_, value)| value.to_str()) {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[begin..=begin + length]),
        }
        rest = &rest[begin + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(npmrc: &str) -> Registries {
        let mut found = Registries::default();
        let env = Env::of("/", [("TOKEN", "t0ken")]);
        found.read(npmrc, Path::new(".npmrc"), &env).unwrap();
        found
    }

    #[test]
    fn a_mirror_stands_for_the_public_registries_alone() {
        let found = found("registry=https://mirror.example/npm\n@a:registry=https://a.example/\n");
        for (url, asked) in [
            (
                format!("https://{}/x/-/x-1.tgz", PUBLIC[0]),
                "https://mirror.example/npm/x/-/x-1.tgz",
            ),
            (format!("https://{}/@a/x/-/x-1.tgz", PUBLIC[1]), "https://a.example/@a/x/-/x-1.tgz"),
            ("https://other.example/x.tgz".to_owned(), "https://other.example/x.tgz"),
        ] {
            assert_eq!(found.resolve(&url).unwrap().as_str(), asked);
        }
    }

    #[test]
    fn what_is_replaced_can_be_said() {
        let text = "registry=https://m.example\nreplace-registry-host=";
        let asked = |which: &str, url: &str| {
            found(&format!("{text}{which}\n")).resolve(url).unwrap().as_str().to_owned()
        };
        assert_eq!(asked("always", "https://o.example/x"), "https://m.example/x");
        assert_eq!(asked("o.example", "https://o.example/x"), "https://m.example/x");
        assert_eq!(asked("never", "https://o.example/x"), "https://o.example/x");
    }

    #[test]
    fn a_token_is_for_its_own_place_and_never_shown() {
        let found = found("//m.example/npm/:_authToken=${TOKEN}\n");
        assert!(found.credential(&"https://m.example/npm/x".parse().unwrap()).is_some());
        assert!(found.credential(&"https://m.example/other".parse().unwrap()).is_none());
        assert!(!format!("{found:?}").contains("t0ken"));
    }
}
