//! Why a question about a registry has no answer.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use nixexpr::{EvalError, Place};

use crate::PortPath;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file could not be read. The cause names it.
    #[error("cannot read the registry")]
    Read(#[source] io::Error),
    /// The file is neither Nix nor JSON nor TOML.
    #[error("`{}` is no registry: its name must end with .nix, .json or .toml", .0.display())]
    Format(PathBuf),
    /// A JSON or TOML text with an error.
    #[error("{place}: {what}")]
    Data {
        /// Where.
        place: Place,
        /// What.
        what: String,
    },
    /// The evaluation of a Nix file failed or was refused.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The evaluation was refused, and Nix has no answer either.
    #[error("{refusal}; Nix was asked")]
    Nix {
        /// Why the registry was not evaluated natively.
        refusal: String,
        /// What Nix says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nix was asked for, and has no answer.
    #[error("cannot evaluate `{}` by Nix", file.display())]
    OnlyNix {
        /// The registry.
        file: PathBuf,
        /// What Nix says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The root is not there.
    #[error("`{}` has no set `{root}`", file.display())]
    NoRoot {
        /// The registry.
        file: PathBuf,
        /// The root that was asked for.
        root: PortPath,
    },
    /// The file holds something else than a set.
    #[error("`{}` holds {found}, but a registry is a set", file.display())]
    NoSet {
        /// The registry.
        file: PathBuf,
        /// What it holds.
        found: &'static str,
    },
    /// There is no such entry.
    #[error("no port `{path}` in `{}`", file.display())]
    Unknown {
        /// The path that was asked for.
        path: PortPath,
        /// The registry.
        file: PathBuf,
        /// Paths that may have been meant.
        near: Vec<PortPath>,
    },
    /// The entry is a group.
    #[error("`{path}` is a group, not a port")]
    Group {
        /// The path that was asked for.
        path: PortPath,
        /// Some of its entries.
        inside: Vec<PortPath>,
    },
    /// The entry is no port.
    #[error("{}`{path}` is {found}, not a port", at(place.as_ref()))]
    NoPort {
        /// The path.
        path: PortPath,
        /// Where it is.
        place: Option<Place>,
        /// What it is.
        found: String,
    },
    /// Nix was asked, and this entry fails for it too.
    #[error("`{0}` has no value: its evaluation fails by Nix too")]
    NoValue(PortPath),
    /// The number is no port.
    #[error("{}`{path}` is {number} but must be from 1 to 65535", at(place.as_ref()))]
    OutOfRange {
        /// The path.
        path: PortPath,
        /// Where it is.
        place: Option<Place>,
        /// The number.
        number: i64,
    },
    /// A range that ends before it starts.
    #[error("{}the range `{path}` goes from {from} to {to}", at(place.as_ref()))]
    Backwards {
        /// The path.
        path: PortPath,
        /// Where it is.
        place: Option<Place>,
        /// Its first number.
        from: i64,
        /// Its last number.
        to: i64,
    },
    /// The registry has too many entries, or is a set inside itself.
    #[error("`{}` has more than {limit} {what}", file.display())]
    TooMany {
        /// The registry.
        file: PathBuf,
        /// Of what there are too many.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
}

/// The place in front of a message.
fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

impl RegistryError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { near, .. } => did_you_mean(near),
            Self::Group { inside, .. } if !inside.is_empty() => {
                let names: Vec<String> = inside.iter().map(|path| format!("`{path}`")).collect();
                Some(format!("ask for one of its ports: {}", names.join(", ")))
            }
            Self::Eval(error) if error.is_refusal() => {
                Some("with Nix on PATH, `--evaluator auto` asks it".to_owned())
            }
            _ => None,
        }
    }
}

/// `did you mean …?`, if there is something near.
pub fn did_you_mean(near: &[PortPath]) -> Option<String> {
    let names: Vec<String> = near.iter().map(|path| format!("`{path}`")).collect();
    match names.split_last() {
        None => None,
        Some((last, [])) => Some(format!("did you mean {last}?")),
        Some((last, rest)) => Some(format!("did you mean {} or {last}?", rest.join(", "))),
    }
}
