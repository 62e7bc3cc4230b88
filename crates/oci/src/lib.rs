//! Container images as bytes: digests, references, manifests, layers, plans, layouts and archives.

mod digest;
mod document;
mod hash;
mod json;
mod media_type;
mod reference;
mod timestamp;

pub mod archive;
pub mod cache;
pub mod compress;
pub mod config;
pub mod descriptor;
pub mod dockertools;
pub mod index;
pub mod layer;
pub mod layout;
pub mod manifest;
pub mod n2c;
pub mod pack;
pub mod plan;
pub mod source;
pub mod split;

pub use config::{History, ImageConfig, RootFs, RunConfig};
pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError};
pub use document::{DocumentError, Violation};
pub use hash::{Hasher, HashingReader, HashingWriter, MismatchError, VerifyingReader};
pub use index::Index;
pub use json::{to_go_json, to_go_json_indented};
pub use manifest::Manifest;
pub use media_type::{MediaType, MediaTypeError};
pub use reference::{Reference, ReferenceError};
pub use timestamp::{Timestamp, TimestampError};
