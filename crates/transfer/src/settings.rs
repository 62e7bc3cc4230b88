//! What a [`Client`](crate::Client) is told once.

use std::time::Duration;

use crate::{HostTls, Proxies, Roots};

/// How a client behaves towards every host.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The `User-Agent`: name and version of the tool.
    pub user_agent: String,
    /// How many requests run at once: that many idle connections are kept for each host.
    pub jobs: usize,
    /// Whether plain http may be spoken to other machines.
    pub plain_http: bool,
    /// Proxies by scheme.
    pub proxies: Proxies,
    /// Trusted certificates.
    pub roots: Roots,
    /// What one host has of its own.
    pub host: Option<HostTls>,
    /// When to stop waiting.
    pub timeouts: Timeouts,
}

impl Settings {
    /// The defaults: 4 jobs, https only, no proxy, the system's certificates.
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            jobs: 4,
            plain_http: false,
            proxies: Proxies::default(),
            roots: Roots::default(),
            host: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// When to stop waiting. There is no limit on a whole transfer: a large body may take hours, as long as it moves.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To connect, proxy and TLS included.
    pub connect: Duration,
    /// For the answer to a request without a body.
    pub answer: Duration,
    /// For the answer once a body is sent: the server may copy and hash all of it first.
    pub answer_to_body: Duration,
    /// Between two bytes of a body.
    pub idle: Duration,
    /// For `100 Continue`; a server that does not answer in time is sent the body, and not asked again.
    pub await_continue: Duration,
}

impl Timeouts {
    /// The defaults, scaled to a server that may be silent for so long.
    pub fn silent_for(time: Duration) -> Self {
        let default = Self::default();
        Self {
            connect: default.connect.min(time),
            answer: time,
            answer_to_body: time.saturating_mul(10),
            idle: time,
            await_continue: default.await_continue.min(time),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            answer_to_body: Duration::from_secs(600),
            idle: Duration::from_secs(60),
            await_continue: Duration::from_secs(1),
        }
    }
}
