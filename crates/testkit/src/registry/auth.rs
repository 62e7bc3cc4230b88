//! Who may come in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, Received};

/// The token that the token service gives: never printed by a client that keeps secrets.
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
    Token {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
}

impl Auth {
    /// Basic authentication for one user.
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    /// Tokens for one user.
    pub fn token(user: &str, password: &str) -> Self {
        Self::Token { user: user.to_owned(), password: password.to_owned() }
    }

    /// The answer to a request that may not come in, or that asks for a token.
    pub(crate) fn check(&self, request: &Received, host: &str) -> Option<Answer> {
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
            Self::Token { user, password } => {
                if request.path == "/token" {
                    let good = request.authorization.as_deref() == Some(&basic(user, password));
                    return Some(if good {
                        let token = serde_json::json!({"token": TOKEN, "expires_in": 300});
                        Answer::new(200).body(token.to_string().into_bytes())
                    } else {
                        Answer::error(401, "UNAUTHORIZED", "wrong password")
                    });
                }
                let good = request.authorization.as_deref() == Some(&format!("Bearer {TOKEN}"));
                (!good).then(|| {
                    denied(&format!(
                        "Bearer realm=\"http://{host}/token\",service=\"test\",\
                         scope=\"repository:a/b:pull,push\""
                    ))
                })
            }
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
