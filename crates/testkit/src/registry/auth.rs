//! Who may come in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, Received};

/// How every token begins: never printed by a client that keeps secrets.
const TOKEN: &str = "t0ken-of-the-test";

/// How the registry asks for a login.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// By Basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// By a token that `/token` gives to whoever logs in there.
    Token(Tokens),
}

/// A token service, with the ways in which real ones differ.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The user.
    pub user: String,
    /// The password; as an identity token, it is also taken by POST.
    pub password: String,
    /// In which fields the token stands.
    pub fields: &'static [&'static str],
    /// What `expires_in` says; left out without one.
    pub expires_in: Option<u64>,
    /// How many requests a token is good for.
    pub uses: usize,
    /// Whether it grants more than `pull`.
    pub grants_push: bool,
    /// Whether it takes identity tokens by POST, or says 404.
    pub has_post: bool,
    /// Which scope the challenge names: the one that is needed, or none.
    pub names_scope: bool,
}

/// What a registry knows of the tokens that it gave.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// For each token its scopes, and how often it may still be used.
    tokens: Vec<(Vec<String>, usize)>,
}

impl Auth {
    /// Basic authentication for one user.
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    /// Tokens for one user.
    pub fn token(user: &str, password: &str) -> Self {
        Self::Token(Tokens::new(user, password))
    }

    /// The answer to a request that may not come in.
    pub(crate) fn check(
        &self,
        request: &Received,
        host: &str,
        given: &mut Given,
    ) -> Option<Answer> {
        let denied = |challenge: &str| {
            Answer::error(401, "UNAUTHORIZED", "authentication required")
                .header("WWW-Authenticate", challenge)
        };
        match self {
            Self::None => None,
            Self::Basic { user, password } => {
                let good = request.authorization.as_deref() == Some(&basic(user, password));
                (!good).then(|| denied("Basic realm=\"test\""))
            }
            Self::Token(tokens) => {
                let needed = needed(request);
                let error = given.refuses(request, needed.as_ref())?;
                let scope = match needed {
                    Some((repository, action)) if tokens.names_scope => {
                        let actions = if action == "pull" { "pull" } else { "pull,push" };
                        format!(",scope=\"repository:{repository}:{actions}\"")
                    }
                    _ => String::new(),
                };
                Some(denied(&format!(
                    "Bearer realm=\"http://{host}/token\",service=\"test\"{scope}{error}"
                )))
            }
        }
    }

    /// The answer to a request for a token.
    pub(crate) fn give_token(&self, request: &Received, body: &[u8], given: &mut Given) -> Answer {
        let Self::Token(tokens) = self else { return Answer::html(404, "404 Not Found") };
        let body = String::from_utf8_lossy(body);
        let form = if request.method == "POST" { body.as_ref() } else { request.query.as_str() };
        let value = |pair: &str, name: &str| {
            let value = pair.strip_prefix(name)?.strip_prefix('=')?;
            Some(decoded(value))
        };
        let good = if request.method == "POST" {
            if !tokens.has_post {
                return Answer::new(404);
            }
            let secret = form.split('&').find_map(|pair| value(pair, "refresh_token"));
            secret.as_deref() == Some(tokens.password.as_str())
        } else {
            request.authorization.as_deref() == Some(&basic(&tokens.user, &tokens.password))
        };
        if !good {
            return Answer::error(401, "UNAUTHORIZED", "wrong password");
        }
        let scopes = form.split('&').filter_map(|pair| value(pair, "scope"));
        let scopes = scopes.flat_map(|list| list.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let granted = scopes.map(|scope| match scope.rsplit_once(':') {
            Some((start, _)) if !tokens.grants_push => format!("{start}:pull"),
            _ => scope,
        });
        given.tokens.push((granted.collect(), tokens.uses));
        let token = format!("{TOKEN}-{}", given.tokens.len());
        let mut said = serde_json::Map::new();
        for field in tokens.fields {
            said.insert((*field).to_owned(), token.clone().into());
        }
        if let Some(seconds) = tokens.expires_in {
            said.insert("expires_in".to_owned(), seconds.into());
        }
        Answer::new(200).body(serde_json::Value::from(said).to_string().into_bytes())
    }
}

impl Tokens {
    /// A service as most are.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            fields: &["token"],
            expires_in: Some(300),
            uses: usize::MAX,
            grants_push: true,
            has_post: true,
            names_scope: true,
        }
    }
}

impl Given {
    /// Why a request may not come in; none when it may.
    fn refuses(
        &mut self,
        request: &Received,
        needed: Option<&(String, &str)>,
    ) -> Option<&'static str> {
        let number = request.authorization.as_deref().and_then(|value| {
            let number = value.strip_prefix("Bearer ")?.strip_prefix(TOKEN)?.strip_prefix('-')?;
            number.parse::<usize>().ok()?.checked_sub(1)
        });
        let Some((scopes, left)) = number.and_then(|number| self.tokens.get_mut(number)) else {
            return Some("");
        };
        if *left == 0 {
            return Some(",error=\"invalid_token\"");
        }
        let allowed = needed.is_none_or(|(repository, action)| {
            scopes.iter().any(|scope| {
                let rest = scope
                    .strip_prefix("repository:")
                    .and_then(|rest| rest.strip_prefix(repository));
                let actions = rest.and_then(|rest| rest.strip_prefix(':'));
                actions.is_some_and(|actions| actions.split(',').any(|one| one == *action))
            })
        });
        if !allowed {
            return Some(",error=\"insufficient_scope\"");
        }
        *left -= 1;
        None
    }
}

/// The repository that a request is about, and what it does to it.
fn needed(request: &Received) -> Option<(String, &'static str)> {
    let rest = request.path.strip_prefix("/v2/")?;
    let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"]
        .iter()
        .find_map(|part| rest.find(part))?;
    let action = match request.method.as_str() {
        "GET" | "HEAD" if !rest.contains("/blobs/uploads/") => "pull",
        "DELETE" if rest.contains("/manifests/") => "delete",
        _ => "push",
    };
    Some((rest[..end].to_owned(), action))
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Percent-decodes ASCII.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let code = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(char::from(code.unwrap_or(b'?')));
        rest = behind.get(2..).unwrap_or_default();
    }
    (out + rest).replace('+', " ")
}
