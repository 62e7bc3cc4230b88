//! Logging in: nothing is sent before a registry asks for it, and then what it asks for.
//!
//! One thread logs in for all: the others wait for its answer. A token that has run out is fetched anew, once for each
//! request that found it so.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use transfer::{Client, Credential, HeaderMap, Method, Origin, Request, Response, Secret, Url};

use super::challenge::Challenge;
use super::error::RegistryError;

/// More than this is no token.
const MAX_TOKEN: u64 = 1 << 20;

/// A user and a password.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

/// What may be done with the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// The login of one registry, as far as it has been asked for.
#[derive(Debug)]
pub(crate) struct Auth {
    login: Option<Login>,
    scope: String,
    known: Mutex<Known>,
}

/// What is sent along, and how often it was renewed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) credential: Option<Credential>,
    renewed: u64,
    basic: bool,
}

impl Auth {
    pub(crate) fn new(login: Option<Login>, repository: &str, access: Access) -> Self {
        let actions = match access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        let scope = format!("repository:{repository}:{actions}");
        Self { login, scope, known: Mutex::default() }
    }

    /// What to send along now.
    pub(crate) fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what a 401 asks for, unless another thread has done so since `used` was sent.
    pub(crate) fn renew(
        &self,
        client: &Client,
        denied: Response,
        used: &Known,
    ) -> Result<Known, RegistryError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.renewed != used.renewed {
            denied.finish();
            return Ok(known.clone());
        }
        let offered = challenges(denied.headers());
        let find = |scheme| offered.iter().find(|one: &&Challenge| one.scheme == scheme);
        let (credential, basic) = if let Some(bearer) = find("bearer") {
            (self.token(client, &denied, bearer)?, false)
        } else if find("basic").is_some() {
            match &self.login {
                Some(login) if !used.basic => {
                    let origin = denied.url().origin().clone();
                    (Credential::basic(origin, &login.user, &login.password), true)
                }
                _ => return Err(self.refused(denied)),
            }
        } else if offered.is_empty() {
            return Err(RegistryError::NoChallenge { call: denied.call().clone() });
        } else {
            let names: Vec<_> = offered.iter().map(|one| format!("`{}`", one.scheme)).collect();
            let call = denied.call().clone();
            return Err(RegistryError::Scheme { call, schemes: names.join(", ") });
        };
        denied.finish();
        *known = Known { credential: Some(credential), renewed: known.renewed + 1, basic };
        Ok(known.clone())
    }

    /// The error of an answer that our login, or the want of one, brought about.
    pub(crate) fn refused(&self, mut denied: Response) -> RegistryError {
        let (call, status, words) = (denied.call().clone(), denied.status(), denied.words());
        if let Some(login) = &self.login {
            let user = login.user.clone();
            return RegistryError::LoginRefused { call, status, words, user };
        }
        let host = authority(denied.url().origin());
        RegistryError::NoLogin { call, status, words, host }
    }

    /// Fetches a token from where the challenge says: <https://distribution.github.io/distribution/spec/auth/token/>.
    fn token(
        &self,
        client: &Client,
        denied: &Response,
        challenge: &Challenge,
    ) -> Result<Credential, RegistryError> {
        let mut url = realm(denied, challenge.get("realm").unwrap_or_default())?;
        if let Some(service) = challenge.get("service") {
            url = url.with_pair("service", service);
        }
        url = url.with_pair("scope", &self.scope);
        let login = self.login.as_ref();
        if let Some(login) = login {
            url = url.with_pair("account", &login.user);
        }
        let origin = url.origin().clone();
        let basic = login.map(|login| Credential::basic(origin, &login.user, &login.password));
        let answer = client.send(&Request::new(Method::GET, url).credential(basic.as_ref()))?;
        match answer.status().as_u16() {
            200 => {}
            401 | 403 => return Err(self.refused(answer)),
            _ => return Err(answer.into_error().into()),
        }
        let call = answer.call().clone();
        let bytes = answer.read(MAX_TOKEN)?;
        let token = serde_json::from_slice::<TokenAnswer>(&bytes).ok();
        let token = token.and_then(|answer| answer.token.or(answer.access_token));
        match token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
        {
            Some(token) => {
                Ok(Credential::bearer(denied.url().origin().clone(), &Secret::new(token)))
            }
            None => Err(RegistryError::NoToken { call }),
        }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all("www-authenticate");
    Challenge::parse_all(values.iter().filter_map(|value| value.to_str().ok()))
}

/// The place to get a token from. A password goes there: never to plain http when the registry itself has TLS.
fn realm(denied: &Response, realm: &str) -> Result<Url, RegistryError> {
    let wrong = |why| RegistryError::Realm {
        call: denied.call().clone(),
        realm: realm.split('?').next().unwrap_or_default().escape_debug().to_string(),
        why,
    };
    if realm.is_empty() {
        return Err(wrong("it is empty"));
    }
    let asked = denied.url().origin();
    let url = denied.url().resolve(realm).map_err(|_| wrong("it is no http or https URL"))?;
    if asked.is_secure() && !url.origin().is_secure() {
        return Err(wrong("it has no TLS, but the registry has"));
    }
    if url.origin().is_private_address() && url.origin().host() != asked.host() {
        return Err(wrong("it is a private address of another host"));
    }
    Ok(url)
}

/// `host[:port]`, as references write it.
fn authority(origin: &Origin) -> String {
    let text = origin.to_string();
    text.split_once("://").map_or(text.clone(), |(_, authority)| authority.to_owned())
}
