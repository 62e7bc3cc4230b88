//! The port registry: where it is, the ports in it with their places, their names for programs, and offsets.
//!
//! A registry is one file, `lib/ports.nix` in most projects, that NixOS modules import as it is. This crate reads it
//! for every other program: natively by [`nixexpr`], or from Nix's own answer, which the caller gets for it
//! ([`Options::nix`]), as no process is started here.
//!
//! ```
//! use portreg::{Options, Registry};
//!
//! let folder = std::env::temp_dir().join("portreg-doc");
//! std::fs::create_dir_all(&folder)?;
//! let file = folder.join("ports.nix");
//! std::fs::write(&file, "{ databases = { redis = 6379; }; }")?;
//! let mut registry = Registry::open(&file, Options::default())?;
//! let entry = registry.get(&"databases.redis".parse()?)?;
//! assert_eq!(entry.ports.to_string(), "6379");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ask;
mod checkout;
mod comment;
pub mod discover;
mod edit;
mod entry;
mod error;
mod ledger;
mod names;
mod near;
mod offset;
mod pairs;
mod parts;
mod path;
mod policy;
mod port_set;
mod question;
mod read;
mod registry;
mod slot;
mod tree;

use std::path::Path;

pub use ask::{AskNix, NoNix};
pub use checkout::{Checkout, CheckoutError, Worktree};
pub use edit::{Change, EditError, Edited};
pub use entry::{Entry, Part, Ports, Protocol};
pub use error::{RegistryError, did_you_mean};
pub use ledger::{Ledger, LedgerError, Slot};
pub use names::{Template, TemplateError, in_capitals, service_name};
pub use near::nearest;
pub use nixexpr::{EvalError, Place, Span, Written};
pub use offset::{Offset, OffsetError};
pub use path::{PathError, PortPath, is_identifier};
pub use policy::{Band, Glob, GlobError, Numbers, Policy, PolicyError, parse_numbers};
pub use registry::{Listing, Options, Registry, Who};
pub use slot::{Assigned, SlotError};
pub use tree::Extensions;

fn data_error(file: &Path, text: &str, error: &nixexpr::data::DataError) -> RegistryError {
    RegistryError::Data {
        place: nixexpr::place_in(file, text, error.at()),
        what: error.to_string(),
    }
}
