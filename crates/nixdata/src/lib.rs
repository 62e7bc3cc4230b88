//! Nix's data formats: hashes, nix32, store paths, NAR, closures.
//!
//! A format crate: it reads the files it is given, and starts no process, reads no environment and
//! prints nothing. What it accepts is what Nix 2.8 and later write; what it writes is what all of
//! them read.

pub mod nar;
pub mod nix32;

mod closure;
mod content_address;
mod graph;
mod hash;
mod hex;
mod path_info;
mod store_path;

pub use closure::{Closure, ClosureError};
pub use content_address::{ContentAddress, ContentAddressError, Method};
pub use graph::{
    GraphError, Listing, parse_graph, parse_path_info, parse_references_graph, parse_registration,
    parse_structured_attrs,
};
pub use hash::{Algorithm, Encoding, Hash, HashError};
pub use nix32::Nix32Error;
pub use path_info::PathInfo;
pub use store_path::{StoreDir, StorePath, StorePathError};
