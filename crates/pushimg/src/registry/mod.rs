//! A repository of a registry, by the distribution protocol:
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>.

mod auth;
mod blob;
mod challenge;
mod error;
mod manifest;

use cli::Progress;
use oci::Digest;
use transfer::{Client, Method, Request, Response, StatusCode, Url};

pub(crate) use auth::{Access, Auth, Login};
pub(crate) use error::{RegistryError, is_mismatch};

/// One repository, and the login for it.
#[derive(Debug)]
pub(crate) struct Repository {
    client: Client,
    base: Url,
    name: String,
    auth: Auth,
    /// Where each request is told, with `-v`.
    trace: Option<Progress>,
}

impl Repository {
    /// The repository `name` of the registry whose API is below `base`.
    pub(crate) fn new(
        client: Client,
        base: Url,
        name: &str,
        auth: Auth,
        trace: Option<Progress>,
    ) -> Self {
        Self { client, base, name: name.to_owned(), auth, trace }
    }

    /// A URL of this repository: `/v2/<name>/<rest>`.
    fn url(&self, rest: &str) -> Result<Url, RegistryError> {
        let path = format!("/v2/{}/{rest}", self.name);
        // The name and the rest are made of characters that the grammar of references allows.
        self.base.resolve(&path).map_err(|source| {
            let call = transfer::Call { method: Method::GET, url: self.base.clone() };
            let status = StatusCode::OK;
            RegistryError::Call(transfer::CallError::Location {
                call,
                status,
                location: path,
                source,
            })
        })
    }

    /// Sends a request with what the registry is known to want; does once what a 401 asks for.
    fn send(&self, request: &Request<'_>) -> Result<Response, RegistryError> {
        let known = self.auth.known();
        let answer = self.send_with(request, &known)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let renewed = self.auth.renew(&self.client, answer, &known)?;
        let answer = self.send_with(request, &renewed)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(self.auth.refused(answer));
        }
        Ok(answer)
    }

    fn send_with(
        &self,
        request: &Request<'_>,
        known: &auth::Known,
    ) -> Result<Response, RegistryError> {
        let request = request.clone().credential(known.credential.as_ref());
        let answer = self.client.send(&request);
        if let Some(trace) = &self.trace {
            match &answer {
                Ok(answer) => trace.step(&format!("{}: {}", answer.call(), answer.status())),
                Err(error) => trace.step(&error.to_string()),
            }
        }
        Ok(answer?)
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
