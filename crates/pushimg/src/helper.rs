//! Credential helpers: programs named `docker-credential-NAME` that keep logins, asked as docker asks them:
//! <https://github.com/docker/docker-credential-helpers>. What they say is neither shown nor logged.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cli::Env;
use serde::Deserialize;
use serde_json::json;
use transfer::Secret;

use crate::registry::Login;

/// What a helper says when it has nothing, to the letter.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// More than this is no login.
const MAX_ANSWER: usize = 1 << 20;

/// Why a helper is of no help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    #[error("`{0}` is no name of a credential helper")]
    Name(String),
    #[error("there is no credential helper `{0}` on PATH")]
    Missing(String),
    #[error("cannot run `{program}`")]
    Run { program: String, source: io::Error },
    #[error("`{program} {action}` failed{said}")]
    Failed { program: String, action: &'static str, said: String },
    #[error("`{program} get` did not answer with a login")]
    Answer { program: String },
}

impl HelperError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(name) => {
                let program = format!("docker-credential-{name}");
                Some(format!(
                    "install `{program}`, or log in by `REGISTRY_USER` and `REGISTRY_PASSWORD`"
                ))
            }
            _ => None,
        }
    }
}

/// A helper program.
#[derive(Debug)]
pub(crate) struct Helper<'a> {
    program: String,
    path: PathBuf,
    env: &'a Env,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    secret: String,
}

impl<'a> Helper<'a> {
    /// Finds the helper of this name on PATH.
    pub(crate) fn find(name: &str, env: &'a Env) -> Result<Self, HelperError> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(good) {
            return Err(HelperError::Name(name.to_owned()));
        }
        let program = format!("docker-credential-{name}");
        let path = env.path_var().unwrap_or_default();
        match which::which_in(&program, Some(path), env.cwd()) {
            Ok(path) => Ok(Self { program, path, env }),
            Err(_) => Err(HelperError::Missing(name.to_owned())),
        }
    }

    /// The login for a server; none if the helper has none.
    pub(crate) fn get(&self, server: &str) -> Result<Option<Login>, HelperError> {
        let Some(answer) = self.run("get", server.as_bytes())? else { return Ok(None) };
        let wrong = || HelperError::Answer { program: self.program.clone() };
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| wrong())?;
        if answer.secret.is_empty() {
            return Err(wrong());
        }
        Ok(Some(Login::new(answer.username, Secret::new(answer.secret))))
    }

    /// Keeps a login.
    pub(crate) fn store(&self, server: &str, login: &Login) -> Result<(), HelperError> {
        let said = json!({
            "ServerURL": server, "Username": login.user, "Secret": login.password.expose()
        });
        self.run("store", said.to_string().as_bytes()).map(drop)
    }

    /// Forgets a login; says whether there was one.
    pub(crate) fn erase(&self, server: &str) -> Result<bool, HelperError> {
        Ok(self.run("erase", server.as_bytes())?.is_some())
    }

    fn run(&self, action: &'static str, input: &[u8]) -> Result<Option<Vec<u8>>, HelperError> {
        let vars = self.env.all().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let done = duct::cmd(&self.path, [OsStr::new(action)])
            .dir(self.env.cwd())
            .full_env(vars)
            .stdin_bytes(input)
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(|source| HelperError::Run { program: self.program.clone(), source })?;
        if done.status.success() && done.stdout.len() <= MAX_ANSWER {
            return Ok(Some(done.stdout));
        }
        let said = String::from_utf8_lossy(&done.stdout);
        if said.trim() == NOT_FOUND {
            return Ok(None);
        }
        // Helpers print what is wrong to stdout; of a failure that is no secret, but one line of it is enough.
        let line = said.lines().next().unwrap_or_default().trim();
        let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
        let said = if line.is_empty() { String::new() } else { format!(": {line}") };
        Err(HelperError::Failed { program: self.program.clone(), action, said })
    }
}
