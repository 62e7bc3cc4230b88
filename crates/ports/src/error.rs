//! Why a run ended without its answer.

use cli::{Exit, Failure, StdoutError};
use portreg::discover::DiscoverError;
use portreg::{OffsetError, PolicyError, PortPath, RegistryError, did_you_mean};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Offset(#[from] OffsetError),
    #[error("`PORTS_OFFSET` is `{0}` but must be a whole number")]
    OffsetVariable(String),
    #[error("no group `{group}` in `{file}`")]
    UnknownGroup { group: PortPath, file: String, near: Vec<PortPath> },
    #[error("no port {number} in `{file}`")]
    UnknownNumber { number: u16, file: String },
    #[error("both `{first}` and `{second}` would be `{name}`")]
    OneName { name: String, first: PortPath, second: PortPath },
    #[error("`{flag}` says how variables are named, and `--format {format}` has none")]
    NoVariables { flag: &'static str, format: String },
    #[error("cannot make JSON")]
    Json(#[source] serde_json::Error),
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}

impl Failure for PortsError {
    fn exit(&self) -> Exit {
        match self {
            Self::Registry(RegistryError::Unknown { .. })
            | Self::UnknownGroup { .. }
            | Self::UnknownNumber { .. } => Exit::No,
            Self::Discover(_)
            | Self::Registry(_)
            | Self::Policy(_)
            | Self::Offset(_)
            | Self::OffsetVariable(_)
            | Self::OneName { .. }
            | Self::NoVariables { .. }
            | Self::Json(_)
            | Self::Stdout(_) => Exit::Trouble,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Discover(DiscoverError::Ambiguous { .. }) => {
                Some("name one of them by `--file` or `PORTS_FILE`".to_owned())
            }
            Self::Discover(DiscoverError::Nowhere { .. }) => Some(format!(
                "write {}, or name the file by `--file` or `PORTS_FILE`",
                portreg::discover::CANDIDATES[0]
            )),
            Self::Registry(error) => error.hint(),
            Self::Offset(_) => Some(
                "choose another offset, or name in ports.toml what does not move: `[offset]`, `keep = […]`"
                    .to_owned(),
            ),
            Self::UnknownGroup { near, .. } => did_you_mean(near),
            Self::OneName { .. } => {
                Some("tell them apart by `--template '{PATH}_PORT'`, or leave one out by `--only`".to_owned())
            }
            _ => None,
        }
    }
}

/// What Nix said, without the expression it was asked.
#[derive(Debug, thiserror::Error)]
#[error("nix-instantiate {ending}\n{stderr}")]
pub(crate) struct NixSays {
    pub(crate) ending: String,
    pub(crate) stderr: String,
}
