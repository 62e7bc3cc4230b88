//! What can go wrong between a request and its reply.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nixdata::{ClosureError, GraphError, StorePath, StorePathError};
use thiserror::Error;

/// Why a request to nix has no reply.
#[derive(Debug, Error)]
pub enum NixError {
    /// The program is not on PATH.
    #[error("`{program}` is not on PATH")]
    NotFound {
        /// The program.
        program: &'static str,
    },
    /// The program is there but does not start.
    #[error("could not run `{command}`")]
    Spawn {
        /// The command as shown to people.
        command: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nix said no.
    #[error("`{command}` {ending}{}", after_newline(.stderr))]
    Failed {
        /// The command as shown to people.
        command: String,
        /// How it ended: `failed with exit code 1`.
        ending: String,
        /// All it wrote to stderr.
        stderr: String,
    },
    /// Nix did not end in time and was killed.
    #[error("`{command}` did not end within {} seconds{}", .limit.as_secs_f32(), after_newline(.stderr))]
    Timeout {
        /// The command as shown to people.
        command: String,
        /// The time it had.
        limit: Duration,
        /// All it wrote to stderr.
        stderr: String,
    },
    /// Nix wrote more than any sensible reply holds.
    #[error("`{command}` wrote more than {limit} bytes")]
    TooLong {
        /// The command as shown to people.
        command: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A reply that is not a graph.
    #[error("the reply of `{command}` is not understood")]
    Graph {
        /// The command as shown to people.
        command: String,
        /// What is wrong with the reply.
        #[source]
        source: GraphError,
    },
    /// A reply that is not JSON.
    #[error("the reply of `{command}` is not JSON")]
    Json {
        /// The command as shown to people.
        command: String,
        /// What is wrong with the reply.
        #[source]
        source: serde_json::Error,
    },
    /// A line of a reply that is no store path.
    #[error("`{command}` listed something that is no store path")]
    ReplyPath {
        /// The command as shown to people.
        command: String,
        /// What is wrong with the line.
        #[source]
        source: StorePathError,
    },
    /// The paths of a reply are no closure.
    #[error("the reply of `{command}` is no closure")]
    Closure {
        /// The command as shown to people.
        command: String,
        /// What is missing or contradicts itself.
        #[source]
        source: ClosureError,
    },
    /// A path that the store does not have.
    #[error("`{0}` is not in the store")]
    Absent(StorePath),
    /// A root that leads to no store path.
    #[error("`{root}` is no store path, nor a link to one{}", leads_to(.end.as_deref()))]
    NotInStore {
        /// The root as given.
        root: PathBuf,
        /// Where its links end, if elsewhere.
        end: Option<PathBuf>,
    },
    /// A root whose links cannot be followed.
    #[error("could not follow `{root}` to a store path")]
    Root {
        /// The root as given.
        root: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nothing was asked for.
    #[error("no store path was given")]
    NoRoots,
}

impl NixError {
    /// Says what to do next, as one sentence without a full stop, where something helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => {
                Some("install Nix, or add its bin directory to PATH".to_owned())
            }
            Self::Absent(path) => Some(format!("make it with `nix-store --realise {path}`")),
            Self::NotInStore { .. } => {
                Some("give a path under the store, or a `result` link of `nix build`".to_owned())
            }
            Self::Failed { stderr, .. } if stderr.contains("cannot connect to") => {
                Some("is the Nix daemon running?".to_owned())
            }
            _ => None,
        }
    }
}

fn after_newline(stderr: &str) -> String {
    let stderr = stderr.trim_end();
    if stderr.is_empty() { String::new() } else { format!(":\n{stderr}") }
}

fn leads_to(end: Option<&Path>) -> String {
    end.map(|end| format!(" (it leads to `{}`)", end.display())).unwrap_or_default()
}
