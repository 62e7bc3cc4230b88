//! Logging in: nothing is sent before a registry asks for it, and then what it asks for.
//!
//! One thread logs in for all: the others wait for its answer. A token that has run out is fetched anew, once for each
//! request that found it so. What a fresh token does not allow is not allowed.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;
use transfer::{
    Bytes, Credential, HeaderMap, Method, Origin, Request, Response, Secret, StatusCode, Url,
};

use super::challenge::Challenge;
use super::error::RegistryError;
use super::lock;

/// More than this is no token.
const MAX_TOKEN: u64 = 1 << 20;
/// What a token is good for when nobody says.
const DEFAULT_LIFE: u64 = 60;
/// A token is fetched anew so long before it runs out.
const EARLY: Duration = Duration::from_secs(5);
const CLIENT_ID: &str = "pushimg";

/// A user and a password, or an identity token in its place.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) identity: bool,
}

/// What may be done with the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
    Delete,
}

/// The login of one registry, as far as it has been asked for.
#[derive(Debug)]
pub(crate) struct Auth {
    login: Option<Login>,
    /// The repository itself.
    repository: String,
    /// What is asked for, the repository itself first.
    scopes: Mutex<Vec<Scope>>,
    known: Mutex<Known>,
}

/// What is sent along, and how often it was renewed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) credential: Option<Credential>,
    renewed: u64,
    basic: bool,
    /// Where the token came from, for whom it is, and when it runs out.
    token: Option<TokenPlace>,
    /// Whether what was fetched last was refused at once: others need not try.
    refused: bool,
}

#[derive(Debug, Clone)]
struct TokenPlace {
    realm: Url,
    service: Option<String>,
    registry: Origin,
    expires: Instant,
}

/// `repository:NAME:ACTIONS`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    repository: String,
    actions: Vec<String>,
}

/// Sends a request, and again while what goes wrong may pass by.
type Ask<'a> = dyn Fn(&Request<'_>) -> Result<Response, RegistryError> + 'a;

impl Auth {
    pub(crate) fn new(login: Option<Login>, repository: &str, access: Access) -> Self {
        let actions: &[&str] = match access {
            Access::Pull => &["pull"],
            Access::Push => &["pull", "push"],
            Access::Delete => &["pull", "delete"],
        };
        let scopes = Mutex::new(vec![Scope::new(repository, actions)]);
        Self { login, repository: repository.to_owned(), scopes, known: Mutex::default() }
    }

    /// Asks for reading other repositories, too.
    pub(crate) fn also_pull<'a>(&self, repositories: impl Iterator<Item = &'a str>) {
        let mut scopes = lock(&self.scopes);
        scopes.extend(repositories.map(|name| Scope::new(name, &["pull"])));
    }

    /// What to send along now. A token that is known to have run out is fetched anew.
    pub(crate) fn current(&self, ask: &Ask<'_>) -> Result<Known, RegistryError> {
        let mut known = lock(&self.known);
        let late = known.token.clone().filter(|token| Instant::now() >= token.expires);
        if let Some(place) = late.filter(|_| !known.refused) {
            *known = self.fetch(ask, place, &known)?;
        }
        Ok(known.clone())
    }

    /// Does what a 401 asks for, unless another thread has done so since `used` was sent.
    pub(crate) fn renew(
        &self,
        ask: &Ask<'_>,
        denied: Response,
        used: &Known,
    ) -> Result<Known, RegistryError> {
        let mut known = lock(&self.known);
        if known.refused {
            return Err(self.refused(denied));
        }
        if known.renewed != used.renewed {
            denied.finish();
            return Ok(known.clone());
        }
        let offered = challenges(denied.headers());
        let find = |scheme| offered.iter().find(|one: &&Challenge| one.scheme == scheme);
        if let Some(bearer) = find("bearer") {
            let wider = self.widen(bearer.get("scope").unwrap_or_default());
            // The token allows too little, and another one would be the same.
            if bearer.get("error") == Some("insufficient_scope") && used.token.is_some() && !wider {
                known.refused = true;
                return Err(self.refused(denied));
            }
            let place = TokenPlace {
                realm: realm(&denied, bearer.get("realm").unwrap_or_default())?,
                service: bearer.get("service").map(str::to_owned),
                registry: denied.url().origin().clone(),
                expires: Instant::now(),
            };
            denied.finish();
            *known = self.fetch(ask, place, &known)?;
        } else if find("basic").is_some() {
            let login = self.login.as_ref().filter(|login| !used.basic && !login.identity);
            let Some(login) = login else { return Err(self.refused(denied)) };
            let origin = denied.url().origin().clone();
            let credential = Credential::basic(origin, &login.user, &login.password);
            denied.finish();
            *known = Known {
                credential: Some(credential),
                renewed: known.renewed + 1,
                basic: true,
                ..Known::default()
            };
        } else if offered.is_empty() {
            return Err(RegistryError::NoChallenge { call: denied.call().clone() });
        } else {
            let names: Vec<_> = offered.iter().map(|one| format!("`{}`", one.scheme)).collect();
            let call = denied.call().clone();
            return Err(RegistryError::Scheme { call, schemes: names.join(", ") });
        }
        Ok(known.clone())
    }

    /// Notes that what was fetched last does not help, and makes the error of it.
    pub(crate) fn refuse(&self, denied: Response) -> RegistryError {
        lock(&self.known).refused = true;
        self.refused(denied)
    }

    /// The error of an answer that our login, or the want of one, brought about.
    fn refused(&self, mut denied: Response) -> RegistryError {
        let (call, status, words) = (denied.call().clone(), denied.status(), denied.words());
        if let Some(login) = &self.login {
            let user = login.user.clone();
            return RegistryError::LoginRefused { call, status, words, user };
        }
        let host = authority(denied.url().origin());
        RegistryError::NoLogin { call, status, words, host }
    }

    /// Adds what a challenge asks for to what we ask for; says whether it was more. Other repositories than ours are
    /// none of its business.
    fn widen(&self, challenge: &str) -> bool {
        let mut scopes = lock(&self.scopes);
        let mut wider = false;
        for scope in challenge.split(' ').filter_map(Scope::parse) {
            if scope.repository != self.repository {
                continue;
            }
            let Some(own) = scopes.iter_mut().find(|own| own.repository == scope.repository) else {
                continue;
            };
            for action in scope.actions {
                if !own.actions.contains(&action) && own.actions.len() < 8 {
                    own.actions.push(action);
                    wider = true;
                }
            }
        }
        wider
    }

    /// Fetches a token: <https://distribution.github.io/distribution/spec/auth/token/>.
    fn fetch(
        &self,
        ask: &Ask<'_>,
        place: TokenPlace,
        known: &Known,
    ) -> Result<Known, RegistryError> {
        let mut scopes = lock(&self.scopes);
        let mut answer = self.request(ask, &place, &scopes)?;
        let denied = |answer: &Response| matches!(answer.status().as_u16(), 400 | 401 | 403);
        if denied(&answer) && scopes.len() > 1 {
            // It may be the other repositories that are not ours to read: without them nothing is mounted.
            scopes.truncate(1);
            answer.finish();
            answer = self.request(ask, &place, &scopes)?;
        }
        match answer.status().as_u16() {
            200 => {}
            401 | 403 => return Err(self.refused(answer)),
            _ => return Err(answer.into_error().into()),
        }
        let call = answer.call().clone();
        let bytes = answer.read(MAX_TOKEN)?;
        let answer = serde_json::from_slice::<TokenAnswer>(&bytes).unwrap_or_default();
        let token = [answer.token, answer.access_token].into_iter().flatten();
        let mut good =
            token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
        let Some(token) = good.next() else { return Err(RegistryError::NoToken { call }) };
        let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE).min(1 << 20));
        // One that lives shorter than we are early is used until it is refused.
        let expires = Instant::now() + life.saturating_sub(EARLY).max(life.min(EARLY));
        let credential = Credential::bearer(place.registry.clone(), &Secret::new(token));
        Ok(Known {
            credential: Some(credential),
            renewed: known.renewed + 1,
            basic: false,
            token: Some(TokenPlace { expires, ..place }),
            refused: false,
        })
    }

    fn request(
        &self,
        ask: &Ask<'_>,
        place: &TokenPlace,
        scopes: &[Scope],
    ) -> Result<Response, RegistryError> {
        let mut url = place.realm.clone();
        if let Some(service) = &place.service {
            url = url.with_pair("service", service);
        }
        if let Some(login) = self.login.as_ref().filter(|login| login.identity) {
            let answer = Self::by_identity(ask, place, login, scopes)?;
            // A service of the old kind knows no POST.
            if !matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
                return Ok(answer);
            }
            answer.finish();
        }
        for scope in scopes {
            url = url.with_pair("scope", &scope.to_string());
        }
        if let Some(login) = &self.login {
            url = url.with_pair("account", &login.user);
        }
        let login = self.login.as_ref();
        let origin = url.origin().clone();
        let basic = login.map(|login| Credential::basic(origin, &login.user, &login.password));
        ask(&Request::new(Method::GET, url).credential(basic.as_ref()))
    }

    /// Trades an identity token for a token (OAuth 2).
    fn by_identity(
        ask: &Ask<'_>,
        place: &TokenPlace,
        login: &Login,
        scopes: &[Scope],
    ) -> Result<Response, RegistryError> {
        let scope = scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let before = place.realm.query().map_or(0, |query| query.len() + 1);
        let form = place
            .realm
            .with_pair("grant_type", "refresh_token")
            .with_pair("refresh_token", login.password.expose())
            .with_pair("service", place.service.as_deref().unwrap_or_default())
            .with_pair("scope", &scope)
            .with_pair("client_id", CLIENT_ID);
        let form = form.query().unwrap_or_default().as_bytes()[before..].to_vec();
        let body = Bytes(&form);
        let request = Request::new(Method::POST, place.realm.clone())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(&body);
        ask(&request)
    }
}

impl Scope {
    fn new(repository: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Self { repository: repository.to_owned(), actions }
    }

    fn parse(text: &str) -> Option<Self> {
        let (repository, actions) = text.strip_prefix("repository:")?.rsplit_once(':')?;
        let good = |action: &&str| {
            *action == "*" || (!action.is_empty() && action.bytes().all(|b| b.is_ascii_lowercase()))
        };
        Some(Self::new(repository, &actions.split(',').filter(good).collect::<Vec<_>>()))
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "repository:{}:{}", self.repository, self.actions.join(","))
    }
}

#[derive(Deserialize, Default)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
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
    // What this machine says of itself under another name is no news.
    let same =
        url.origin().host() == asked.host() || (url.origin().is_loopback() && asked.is_loopback());
    if url.origin().is_private_address() && !same {
        return Err(wrong("it is a private address of another host"));
    }
    Ok(url)
}

/// `host[:port]`, as references write it.
fn authority(origin: &Origin) -> String {
    let text = origin.to_string();
    text.split_once("://").map_or(text.clone(), |(_, authority)| authority.to_owned())
}
