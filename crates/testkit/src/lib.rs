//! For tests only: sandboxes, fake programs, git repositories, real servers, and servers that lie.
//!
//! A helper here ends the test, with words, where something that the test stands on fails.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test ends where its ground fails, and it is tests that run programs"
)]

pub mod files;
pub mod image;
pub mod registry;

mod git;
mod output;
mod real_nix;
mod run;
mod sandbox;
mod server;
mod signal;

pub use git::Git;
pub use output::Output;
pub use real_nix::{RealNix, Suite, graph_expression};
pub use run::Run;
pub use sandbox::{Sandbox, require};
pub use server::Server;
pub use signal::interrupt;
