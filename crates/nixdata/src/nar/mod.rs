//! NAR, the archive of one file, directory or symlink that Nix hashes and sends.
//!
//! The format is in Nix's manual under "Nix Archive (NAR) format": strings of a little-endian 64 bit
//! length, their bytes, and zeros up to the next multiple of eight. Of the metadata only the kind and
//! the owner's executable bit are kept, so that a tree has one NAR, whoever owns it and whenever it
//! was made.
//!
//! - [`dump`] writes the NAR of a tree on disk, [`identify`] only hashes it;
//! - [`Encoder`] writes one piece by piece, for callers who walk a tree for another reason too;
//! - [`Reader`] takes one apart and refuses all that a writer would not have written;
//! - [`Digester`] hashes and counts what passes through.
//!
//! All run in constant memory but for the names of the directories that are open.

mod digest;
mod dump;
mod encode;
mod read;

pub use digest::{Digester, NarId};
pub use dump::{DumpError, dump, identify};
pub use encode::{EncodeError, Encoder};
pub use read::{Event, ReadError, Reader};

/// The string that each NAR begins with.
const MAGIC: &[u8] = b"nix-archive-1";

/// What a name in a directory may not be.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

/// Gives the zeros that follow `length` bytes.
const fn padding(length: u64) -> usize {
    ((8 - length % 8) % 8) as usize
}

#[cfg(test)]
mod tests;
