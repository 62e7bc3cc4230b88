//! A repository of a registry, by the distribution protocol:
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>.

mod auth;
mod blob;
mod challenge;
mod error;
mod manifest;
mod rolling;
mod session;
mod stream;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cli::Progress;
use oci::Digest;
use transfer::{
    Cancel, Client, Method, Origin, Patience, Request, Response, Secret, StatusCode, Url,
};

use crate::meter::Meter;
pub(crate) use auth::{Access, Auth, Login};
pub(crate) use error::{RegistryError, is_mismatch};

/// One repository, and the login for it.
#[derive(Debug)]
pub(crate) struct Repository {
    client: Arc<Client>,
    base: Url,
    name: String,
    auth: Auth,
    habits: Habits,
    /// Which repository of this registry has a blob that can be mounted here.
    mounts: BTreeMap<Digest, String>,
    voice: Voice,
    /// Uploads that have begun and not ended.
    sessions: Mutex<BTreeMap<u64, Url>>,
}

/// How uploads are done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// How long what fails is tried again.
    pub(crate) retry_for: Duration,
    /// How large a part of a blob is that goes in one request; all of it, without one.
    pub(crate) chunk: Option<u64>,
}

/// Where it is told what happens.
#[derive(Debug)]
pub(crate) struct Voice {
    /// Each request, with `-v`.
    pub(crate) trace: Option<Progress>,
    /// What everybody should know.
    pub(crate) said: Arc<Meter>,
    warnings: Mutex<BTreeSet<String>>,
}

impl Voice {
    pub(crate) fn new(trace: Option<Progress>, said: Arc<Meter>) -> Self {
        Self { trace, said, warnings: Mutex::default() }
    }

    /// Says each warning of a registry once.
    fn warn(&self, answer: &Response) {
        for value in answer.headers().get_all("warning") {
            let Ok(text) = value.to_str() else { continue };
            // `299 - "text"`, the only form that the specification allows.
            let Some(quoted) =
                text.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"'))
            else {
                continue;
            };
            let shown: String =
                quoted.chars().filter(|c| !c.is_control() && *c != '\\').take(400).collect();
            let mut known = lock(&self.warnings);
            if known.len() < 20 && known.insert(shown.clone()) {
                self.said.step(&format!("warning of the registry: {shown}"));
            }
        }
    }
}

impl Repository {
    /// The repository `name` of the registry whose API is below `base`.
    pub(crate) fn new(
        client: Arc<Client>,
        base: Url,
        name: &str,
        auth: Auth,
        habits: Habits,
        voice: Voice,
    ) -> Self {
        let (name, mounts, sessions) = (name.to_owned(), BTreeMap::new(), Mutex::default());
        Self { client, base, name, auth, habits, mounts, voice, sessions }
    }

    /// Lets blobs be mounted from other repositories of this registry.
    #[must_use]
    pub(crate) fn with_mounts(mut self, mounts: BTreeMap<Digest, String>) -> Self {
        let from: BTreeSet<&String> = mounts.values().filter(|from| **from != self.name).collect();
        self.auth.also_pull(from.into_iter().map(String::as_str));
        self.mounts = mounts;
        self
    }

    /// The registry's API.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The name of the repository.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A URL of this repository: `/v2/<name>/<rest>`.
    fn url(&self, rest: &str) -> Result<Url, RegistryError> {
        self.api(&format!("/v2/{}/{rest}", self.name))
    }

    fn api(&self, path: &str) -> Result<Url, RegistryError> {
        // The name and the rest are made of characters that the grammar of references allows.
        self.base.resolve(path).map_err(|source| {
            let call = transfer::Call { method: Method::GET, url: self.base.clone() };
            let (status, location) = (StatusCode::OK, path.to_owned());
            RegistryError::Call(transfer::CallError::Location { call, status, location, source })
        })
    }

    /// Asks whether the login is good: `GET /v2/`.
    pub(crate) fn ping(&self) -> Result<(), RegistryError> {
        let answer = self.send(&Request::new(Method::GET, self.api("/v2/")?))?;
        match answer.status() {
            StatusCode::OK if !is_html(&answer) => {
                answer.finish();
                Ok(())
            }
            StatusCode::OK => Err(not_a_registry(answer)),
            _ => Err(answer.into_error().into()),
        }
    }

    /// Sends a request that can be sent again, and does so while what goes wrong may pass by.
    fn send(&self, request: &Request<'_>) -> Result<Response, RegistryError> {
        self.patiently(request, || self.send_once(request))
    }

    /// Sends a request with what the registry is known to want; does once what a 401 asks for.
    fn send_once(&self, request: &Request<'_>) -> Result<Response, RegistryError> {
        let ask = |request: &Request<'_>| self.patiently(request, || self.exchange(request));
        let known = self.auth.current(&ask)?;
        let answer = self.exchange(&request.clone().credential(known.credential.as_ref()))?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let renewed = self.auth.renew(&ask, answer, &known)?;
        let answer = self.exchange(&request.clone().credential(renewed.credential.as_ref()))?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(self.auth.refuse(answer));
        }
        Ok(answer)
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Response, RegistryError> {
        let answer = self.client.send(request);
        if let Some(trace) = &self.voice.trace {
            match &answer {
                Ok(answer) => trace.step(&format!("{}: {}", answer.call(), answer.status())),
                Err(error) => trace.step(&error.to_string()),
            }
        }
        if let Ok(answer) = &answer {
            self.voice.warn(answer);
        }
        Ok(answer?)
    }

    fn patiently(
        &self,
        request: &Request<'_>,
        mut send: impl FnMut() -> Result<Response, RegistryError>,
    ) -> Result<Response, RegistryError> {
        let mut patience = self.patience();
        loop {
            let outcome = send();
            let (asked, why) = match &outcome {
                Ok(answer) if answer.is_transient() => {
                    (answer.retry_after(), format!("{}: {}", answer.call(), answer.status()))
                }
                Err(error) if error.is_transient() => (error.retry_after(), error.chain()),
                _ => return outcome,
            };
            let origin = request.call().url.origin();
            if !self.wait(&mut patience, asked, origin, &why, None) {
                return outcome;
            }
            if let Ok(answer) = outcome {
                answer.finish();
            }
        }
    }

    fn patience(&self) -> Patience {
        Patience::new(self.habits.retry_for)
    }

    /// Waits before the next try; says whether there is one. What a registry asks for holds for all threads.
    fn wait(
        &self,
        patience: &mut Patience,
        asked: Option<Duration>,
        origin: &Origin,
        why: &str,
        cancel: Option<&Cancel>,
    ) -> bool {
        let Some(time) = patience.next_wait(asked) else { return false };
        if asked.is_some() {
            self.client.hold(origin, time);
        }
        self.voice.said.step(&format!("{why}; trying again in {:.1} s", time.as_secs_f64()));
        self.client.pause(time, cancel)
    }
}

/// The digest that an answer is about, if it is one that can be compared with `ours`: of the same algorithm.
fn said_digest(answer: &Response, ours: &Digest) -> Option<String> {
    let said = answer.header("docker-content-digest")?;
    let algorithm = format!("{}:", ours.algorithm_name());
    said.starts_with(&algorithm).then(|| said.to_owned())
}

/// Whether an answer is a page for people.
fn is_html(answer: &Response) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// The error of something that answers for a registry without being one.
fn not_a_registry(mut answer: Response) -> RegistryError {
    let words = answer.words();
    RegistryError::NotARegistry { call: answer.call().clone(), status: answer.status(), words }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A user name that stands for an identity token in its place.
pub(crate) const IDENTITY_USER: &str = "<token>";

impl Login {
    /// A user and a password.
    pub(crate) fn new(user: impl Into<String>, password: Secret) -> Self {
        let user = user.into();
        let identity = user == IDENTITY_USER;
        Self { user, password, identity }
    }
}
