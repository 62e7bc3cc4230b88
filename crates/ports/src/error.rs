//! Why a run ended without its answer.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use cli::{Exit, Failure, GenerateError, StdoutError};
use gitcmd::GitError;
use portreg::discover::DiscoverError;
use portreg::{
    CheckoutError, EditError, LedgerError, OffsetError, PolicyError, PortPath, RegistryError,
    SlotError, did_you_mean,
};

use crate::args::PickRule;
use crate::lint::{Fault, FixError};
use crate::next::NoneFree;

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
    #[error(transparent)]
    Slot(#[from] SlotError),
    #[error("`PORTS_OFFSET` says the offset of this checkout, so there is no slot to renew")]
    NothingToRenew,
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Fix(#[from] FixError),
    #[error("cannot run `{}`", command.display())]
    Run { command: OsString, source: std::io::Error },
    #[error("no group `{group}` in `{file}`")]
    UnknownGroup { group: PortPath, file: String, near: Vec<PortPath> },
    #[error("no port {number} in `{file}`")]
    UnknownNumber { number: u16, file: String },
    #[error("both `{first}` and `{second}` would be `{name}`")]
    OneName { name: String, first: PortPath, second: PortPath },
    #[error("`{flag}` says how variables are named, and `--format {format}` has none")]
    NoVariables { flag: &'static str, format: String },
    #[error("cannot read which sockets listen")]
    Sockets(#[source] std::io::Error),
    #[error("cannot ask `lsof` which sockets listen")]
    Lsof(#[source] std::io::Error),
    #[error("cannot try whether {address} is free")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("nothing listens on {0}")]
    NobodyListens(String),
    #[error("{0}")]
    NoneFree(NoneFree),
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error("{0}")]
    Conflict(String),
    #[error("cannot write the registry")]
    Write(#[source] std::io::Error),
    #[error("cannot write `{}`", file.display())]
    WriteTo { file: PathBuf, source: std::io::Error },
    #[error("`{}` was changed meanwhile", .0.display())]
    ChangedMeanwhile(PathBuf),
    #[error("an entry has no value, so it may have any number: {0}")]
    NotWhole(String),
    #[error("cannot read what the system keeps for itself")]
    System(#[source] std::io::Error),
    #[error("`{}` holds `{text}`, which is no port", file.display())]
    SystemValue { file: PathBuf, text: String },
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
            | Self::UnknownNumber { .. }
            | Self::NobodyListens(_)
            | Self::NoneFree(_)
            | Self::Conflict(_)
            | Self::Edit(
                EditError::Exists { .. } | EditError::Registry(RegistryError::Unknown { .. }),
            ) => Exit::No,
            // As env(1) and every shell answer.
            Self::Run { source, .. } if source.kind() == ErrorKind::NotFound => Exit::Own(127),
            Self::Run { .. } => Exit::Own(126),
            Self::Discover(_)
            | Self::Registry(_)
            | Self::Policy(_)
            | Self::Offset(_)
            | Self::OffsetVariable(_)
            | Self::Slot(_)
            | Self::NothingToRenew
            | Self::Generate(_)
            | Self::Git(_)
            | Self::Fault(_)
            | Self::Fix(_)
            | Self::OneName { .. }
            | Self::NoVariables { .. }
            | Self::Sockets(_)
            | Self::Lsof(_)
            | Self::Bind { .. }
            | Self::NotWhole(_)
            | Self::Edit(_)
            | Self::Write(_)
            | Self::WriteTo { .. }
            | Self::ChangedMeanwhile(_)
            | Self::System(_)
            | Self::SystemValue { .. }
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
            Self::Slot(error) => slot_hint(error),
            Self::Git(GitError::Run(_)) => Some("install git, or name the files".to_owned()),
            Self::Fault(Fault::NoFile(_)) => {
                Some("name files, or look at everything by `--all`".to_owned())
            }
            Self::Fix(FixError::Changed(_)) => Some("run it again".to_owned()),
            Self::NothingToRenew => Some("unset it first".to_owned()),
            Self::UnknownGroup { near, .. } => did_you_mean(near),
            Self::NoneFree(none) if none.rule == PickRule::Last => {
                Some("`--policy gap` looks between the registered ones, too".to_owned())
            }
            Self::Edit(error) => error.hint(),
            Self::Conflict(_) => Some("`ports next` prints a number that is free".to_owned()),
            Self::ChangedMeanwhile(_) => Some("nothing was written: run it again".to_owned()),
            Self::OneName { .. } => {
                Some("tell them apart by `--template '{PATH}_PORT'`, or leave one out by `--only`".to_owned())
            }
            _ => None,
        }
    }
}

/// What to do about a slot.
fn slot_hint(error: &SlotError) -> Option<String> {
    let hint = match error {
        SlotError::Checkout(CheckoutError::Broken { .. }) => {
            "`git worktree repair`, run in the repository, mends it; `PORTS_OFFSET` goes before the slot"
        }
        SlotError::Ledger(LedgerError::Corrupt { file, .. }) => {
            return Some(format!(
                "mend `{}`, or remove it: worktrees get slots anew then; `PORTS_OFFSET` goes before the slot",
                file.display()
            ));
        }
        SlotError::NoHome | SlotError::Ledger(_) => {
            "set `XDG_STATE_HOME` to a folder for it, or the offset itself by `PORTS_OFFSET`"
        }
        SlotError::NoLongerFits { .. } => {
            "`ports offset --renew` takes another one; stop what still listens on the old ports before"
        }
        SlotError::NoneLeft { .. } => {
            "name in ports.toml what does not move: `[offset]`, `keep = […]`, or a smaller `step`"
        }
        SlotError::Checkout(_) => return None,
    };
    Some(hint.to_owned())
}

/// What Nix said, without the expression it was asked.
#[derive(Debug, thiserror::Error)]
#[error("nix-instantiate {ending}\n{stderr}")]
pub(crate) struct NixSays {
    pub(crate) ending: String,
    pub(crate) stderr: String,
}
